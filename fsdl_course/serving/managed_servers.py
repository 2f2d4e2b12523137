"""The servers that clouds start for custom code, run here: Vertex AI's and Azure ML's."""

from pathlib import Path

import httpx2

from fsdl_course.serving.ways import DigitsAndConfidence, base64_of, digits_and_confidence
from fsdl_deploy.managed import vendor_servers
from fsdl_deploy.paths import ROOT
from fsdl_deploy.picture import Image
from fsdl_deploy.running import stations
from fsdl_deploy.running.servers import Server

MANAGED = ROOT / "infra" / "managed"


def vertex(folder: Path) -> Server:
    place = MANAGED / "vertex"
    settings = stations.settings(place / "local.env")
    command, ready = vendor_servers.vertex(stations.python("vertex")), settings["AIP_HEALTH_ROUTE"]
    return Server(command, ready=ready, env=settings, cwd=place, timeout=180, name="Vertex AI")


def ask_vertex(web: httpx2.Client, image: Image) -> DigitsAndConfidence:
    route = stations.settings(MANAGED / "vertex" / "local.env")["AIP_PREDICT_ROUTE"]
    response = web.post(route, json={"instances": [{"b64": base64_of(image)}]}).raise_for_status()
    return digits_and_confidence(response.json()["predictions"][0])


def azureml(folder: Path) -> Server:
    command = vendor_servers.azureml(stations.python("azureml"))
    env = {"AML_APP_ROOT": str(MANAGED / "azureml"), "AZUREML_ENTRY_SCRIPT": "score.py"}
    return Server(command, ready="/", env=env, cwd=folder, timeout=120, name="Azure ML")
