"""Each service's own server around each model: started, asked, and its answers compared with the model's own

The servers are those of the station ``contracts``; Truss's is written by the station ``truss``. What they are
given is assembled in a temporary folder as the service would do it. Knows nothing of what an adapter costs.
"""

import base64
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import httpx2

from fsdl_deploy.managed import contract_models, vendor_servers
from fsdl_deploy.managed.contract_models import QUIET, Questions, prepare, questions
from fsdl_deploy.managed.contracts import FOLDER, Contract
from fsdl_deploy.running import stations, waiting
from fsdl_deploy.running.no_reports import truss_settings
from fsdl_deploy.running.servers import Server


@dataclass(frozen=True)
class Attempt:
    """What a service answered: ``same`` of ``count`` digits as the model's own. ``ready``: s to start."""

    service: str
    model: str
    how: str
    same: int
    count: int
    ready: float | None


def trial(contract: Contract, model: str, folder: Path, count: int = 20, fitted=None) -> Attempt:
    """Give the model to the service in ``folder``, ask it, compare.

    ValueError where nothing of the service is here; ServerError, NotBuilt or RuntimeError where it fails.
    """
    how = contract.how[model]
    if how == "not here":
        raise ValueError(f"{contract.name} has nothing for {model} that could run here")
    fitted = fitted or (contract_models.fit() if model == "scikit-learn" else None)
    asked, place = questions(model, count, fitted), assemble(contract.folder, model, folder, fitted)
    if how == "called":
        what = "model_fn" if contract.folder == "sagemaker" else "handler"
        sent = asked.asked if model == "scikit-learn" else [_base64(picture) for picture in asked.asked]
        answers, ready = contract_models.call(what, place, sent), None
    else:
        begin = time.perf_counter()
        with start(contract.folder, place) as server:
            ready = time.perf_counter() - begin
            with httpx2.Client(base_url=server.url, timeout=60, trust_env=False) as web:
                answers = ask(contract.folder, model, web, asked)
    same = sum(mine == theirs for mine, theirs in zip(asked.expected, answers, strict=True))
    return Attempt(contract.name, model, how, same, count, ready)


def assemble(service: str, model: str, folder: Path, fitted=None) -> Path:
    """The adapter and the model's files as the service lays them out; the folder to start in."""
    place = folder / f"{service}-{model}"
    source = FOLDER / service / model
    shutil.copytree(source, place) if source.is_dir() else place.mkdir(parents=True)
    where = {"cog": "model", "bentoml": "model", "truss": "data", "vertex": "weights", "azureml": "weights"}
    prepare(model, place / where.get(service, "."), fitted)
    if service == "mlflow":
        words = [stations.python("contracts"), place / "log.py", place, place / "saved"]
        _run(words, cwd=place)
    if service == "truss":
        program = stations.python("truss").with_name("truss")
        words = [program, "--non-interactive", "image", "build-context", folder / f"context-{model}", place]
        _run(words, cwd=folder, **truss_settings(folder / f"settings-{model}"))
        return folder / f"context-{model}"
    return place


def _run(words: list, cwd: Path, **settings: str) -> None:
    result = subprocess.run(
        words, cwd=cwd, env=os.environ | QUIET | settings, capture_output=True, text=True, timeout=600
    )
    if result.returncode:
        last = (result.stderr or result.stdout).strip().splitlines()[-1:]
        raise RuntimeError(f"{Path(words[0]).name} failed in {cwd.name}: {' '.join(last)}")


def start(service: str, place: Path) -> Server:
    """The service's own server on a free port of this machine, not yet started."""
    command, ready, settings = _STARTS[service](place)
    # Cog and MLflow start the first python on the path: it should be that of their own environment.
    bin_folder = Path(command[0]).parent
    env = QUIET | {"PATH": f"{bin_folder}{os.pathsep}{os.environ['PATH']}"} | settings
    return Server(command, ready, env=env, cwd=place, timeout=300, name=place.name)


def _vertex(place: Path) -> tuple:
    settings = stations.settings(place / "local.env") | {
        "HANDLER_MODULE": f"{vendor_servers.GOOGLE}.handler",
        "HANDLER_CLASS": "PredictionHandler",
        "AIP_HTTP_PORT": "{port}",
        "AIP_HEALTH_ROUTE": "/health",
        "AIP_PREDICT_ROUTE": "/predict",
        "AIP_STORAGE_URI": str(place / "weights"),
        "PYTHONPATH": str(place),
    }
    return vendor_servers.vertex(stations.python("contracts")), "/health", settings


def _azureml(place: Path) -> tuple:
    settings = {"AML_APP_ROOT": str(place), "AZUREML_ENTRY_SCRIPT": "score.py"}
    settings["AZUREML_MODEL_DIR"] = str(place / "weights")
    return vendor_servers.azureml(stations.python("contracts")), "/", settings


def _mlflow(place: Path) -> tuple:
    words = ["-m", "mlflow", "models", "serve", "--model-uri", str(place / "saved"), "--env-manager", "local"]
    return [stations.python("contracts"), *words, "--host", "127.0.0.1", "--port", "{port}"], "/ping", {}


def _cog(place: Path) -> tuple:
    python = stations.python("contracts")
    return vendor_servers.cog(python), vendor_servers.cog_is_ready, vendor_servers.COG_SETTINGS


def _bentoml(place: Path) -> tuple:
    command = vendor_servers.bentoml(stations.python("contracts"), "service:Cards")
    return command, "/readyz", {"BENTOML_HOME": str(place / "store")}


def _truss(place: Path) -> tuple:
    ask = "import sys; print(*(p for p in sys.path if p.endswith('-packages')), sep='\\n')"
    answer = subprocess.run(
        [stations.python("contracts"), "-c", ask], capture_output=True, text=True, check=True, timeout=60
    )
    borrowed = answer.stdout.splitlines()
    command = [stations.python("truss"), FOLDER / "truss_local.py", place, "{port}", *borrowed]
    return command, "/v1/models/model", {}


def _sagemaker(place: Path) -> tuple:
    command = [sys.executable, "-m", "uvicorn", "serve:app", "--host", "127.0.0.1", "--port", "{port}"]
    return command, "/ping", {}


_STARTS: dict[str, Callable] = {
    "vertex": _vertex,
    "azureml": _azureml,
    "sagemaker": _sagemaker,
    "mlflow": _mlflow,
    "cog": _cog,
    "bentoml": _bentoml,
    "truss": _truss,
}


def _base64(picture: bytes) -> str:
    return base64.b64encode(picture).decode()


def ask(service: str, model: str, web: httpx2.Client, asked: Questions) -> list[str]:
    """The digits that the server answers, in the service's own format; one request or one for each."""
    pixels = model == "scikit-learn"
    items = asked.asked if pixels else [_base64(picture) for picture in asked.asked]
    if service == "vertex":
        body = {"instances": items if pixels else [{"b64": text} for text in items]}
        return _digits(_post(web, "/predict", body)["predictions"])
    if service == "azureml":
        return _digits(_post(web, "/score", {"data": items}))
    if service == "mlflow":
        table = {"dataframe_split": {"columns": ["picture"], "data": [[text] for text in items]}}
        body = table if model == "reader" else {"inputs": items}
        rows = _post(web, "/invocations", body)["predictions"]
        return _digits(
            [row["0"] for row in rows] if model == "huggingface" else rows
        )  # "0": the surest label
    return _digits(
        [_one(service, pixels, web, item, raw) for item, raw in zip(items, asked.asked, strict=True)]
    )


def _one(service: str, pixels: bool, web: httpx2.Client, item: object, raw: object) -> object:
    """One question in a request of its own, for the services that take one."""
    if service == "cog":
        field = {"pixels": item} if pixels else {"picture": f"data:image/png;base64,{item}"}
        return _cog_answer(web, {"input": field})
    if service == "truss":
        body = {"pixels": [item]} if pixels else {"picture": item}
        answer = _post(web, "/v1/models/model:predict", body)
        return answer[0] if pixels else answer
    if service == "sagemaker":
        return web.post("/invocations", content=raw).raise_for_status().json()
    if pixels:
        return _post(web, "/predict", {"pixels": [item]})[0]
    files = {"picture": ("card.png", raw, "image/png")}
    response = web.post("/predict", files=files).raise_for_status()
    return response.json() if response.headers["content-type"] == "application/json" else response.text


def _cog_answer(web: httpx2.Client, body: dict) -> object:
    """Cog's worker does one thing at a time, and a 409 says that it is not yet done with the last one."""
    answers = []

    def answered() -> bool:
        response = web.post("/predictions", json=body)
        if response.status_code != 409:
            answers.append(response.raise_for_status().json()["output"])
        return bool(answers)

    waiting.until(answered, 60, RuntimeError, "Cog's worker free")
    return answers[0]


def _post(web: httpx2.Client, path: str, body: object) -> object:
    return web.post(path, json=body).raise_for_status().json()


def _digits(answers: list) -> list[str]:
    """Digits out of what models answer: a number, a text, or a dictionary with ``digits`` or ``label``."""
    return [
        str(answer.get("digits", answer.get("label"))) if isinstance(answer, dict) else str(answer)
        for answer in answers
    ]
