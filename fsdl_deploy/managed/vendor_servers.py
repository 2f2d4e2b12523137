"""Commands that start the services' own servers: Vertex AI's, Azure ML's, Cog's and BentoML's, on a free port

What each of them serves is said by its settings and its folder, which the caller has.
"""

from pathlib import Path

import httpx2

from fsdl_deploy.running.servers import Server

GOOGLE = "google.cloud.aiplatform.prediction"
_HERE = ["--host", "127.0.0.1"]
_PORT = ["--port", "{port}"]


def vertex(python: Path) -> list:
    """Google's server for custom code; what it serves stands in the settings ``HANDLER_…`` and ``AIP_…``."""
    app = f"{GOOGLE}.model_server:CprModelServer"
    return [python, "-m", "uvicorn", "--factory", app, *_HERE, *_PORT]


def azureml(python: Path) -> list:
    """Microsoft's server for an entry script, which the settings ``AML_APP_ROOT`` and ``AZUREML_…`` name."""
    app = "azureml_inference_server_http.server.entry:app"
    return [python, "-m", "gunicorn", "--bind", "127.0.0.1:{port}", "--no-control-socket", app]


def cog(python: Path) -> list:
    """Cog's server, in a folder with ``run.py``."""
    return [python, "-m", "cog.server.http", *_HERE]


COG_SETTINGS = {"PORT": "{port}", "COG_PREDICT_TYPE_STUB": "run.py:Runner"}


def cog_is_ready(server: Server) -> bool:
    """Whether Cog's worker has loaded the model: its health check answers before that."""
    answer = httpx2.get(f"{server.url}/health-check", trust_env=False, timeout=10).json()
    return answer["status"] == "READY"


def bentoml(python: Path, service: str) -> list:
    """BentoML's server for a service such as ``service:Cards``, in the folder of its module."""
    return [python, "-m", "bentoml", "serve", service, *_HERE, *_PORT]
