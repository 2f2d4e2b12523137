"""Google's own two programs: its model server runs our reader, its REST client asks that and our service."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from fsdl_deploy import stations
from fsdl_deploy.cards import cards
from fsdl_deploy.picture import encode
from fsdl_deploy.reader import open_reader
from fsdl_deploy.servers import Server

FOLDER = Path(__file__).resolve().parent.parent / "infra" / "serving" / "vertex"
ENDPOINT = "projects/p/locations/europe-west4/endpoints/1"
SETTINGS = {
    "HANDLER_MODULE": "google.cloud.aiplatform.prediction.handler", "HANDLER_CLASS": "PredictionHandler",
    "PREDICTOR_MODULE": "predictor", "PREDICTOR_CLASS": "MeterReader", "AIP_STORAGE_URI": "",
    "AIP_HTTP_PORT": "8080", "AIP_HEALTH_ROUTE": "/health", "AIP_PREDICT_ROUTE": f"/v1/{ENDPOINT}:predict",
    "PYTHONPATH": str(FOLDER), "PYTHONDONTWRITEBYTECODE": "1",
}  # fmt: skip
CLIENT = """
import base64, json, sys
from google.api_core.exceptions import GoogleAPICallError
from google.auth.credentials import AnonymousCredentials
from google.cloud.aiplatform_v1 import PredictionServiceClient
from google.cloud.aiplatform_v1.services.prediction_service.transports import rest

host, endpoint, *paths = sys.argv[1:]
transport = rest.PredictionServiceRestTransport(
    host=host, url_scheme="http", credentials=AnonymousCredentials()
)
client = PredictionServiceClient(transport=transport)
instances = [{"b64": base64.b64encode(open(path, "rb").read()).decode()} for path in paths]
predictions = [dict(one) for one in client.predict(endpoint=endpoint, instances=instances).predictions]
try:
    client.predict(endpoint=endpoint, instances=[{"b64": "bm8gcGljdHVyZQ=="}])
except GoogleAPICallError as error:
    refused = str(error)
print(json.dumps([[(one["digits"], one["confidence"]) for one in predictions], refused]))
"""


@pytest.fixture(scope="module")
def python() -> Path:
    return stations.ensure("vertex")


@pytest.fixture(scope="module")
def googles_server(python):
    app = "google.cloud.aiplatform.prediction.model_server:CprModelServer"
    command = [python, "-m", "uvicorn", "--factory", app, "--host", "127.0.0.1", "--port", "{port}"]
    with Server(command, ready="/health", env=SETTINGS, timeout=180) as server:
        yield server


@pytest.fixture(scope="module")
def our_service():
    command = [sys.executable, "-m", "fsdl_deploy.cli", "serve", "--port", "{port}"]
    with Server(command, ready="/readyz") as server:
        yield server


@pytest.mark.parametrize("server", ["googles_server", "our_service"])
def test_googles_client_gets_the_readers_answers(server, python, request, tmp_path):
    server = request.getfixturevalue(server)
    images = [card.image for card in cards(5, seed=8)]
    for place, image in enumerate(images):
        (tmp_path / f"{place}.png").write_bytes(encode(image))
    paths = sorted(map(str, tmp_path.glob("*.png")))
    done = subprocess.run(
        [python, "-c", CLIENT, server.url.removeprefix("http://"), ENDPOINT, *paths],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    readings, refused = json.loads(done.stdout)
    wanted = [(reading.digits, reading.confidence) for reading in open_reader().read(images)]
    assert [tuple(one) for one in readings] == wanted
    assert refused.startswith("422")
    # Google's server words an error as its web framework does, and Google's client cannot read that.
    ours = "instances[0]: the bytes are not a picture" in refused
    assert ours == (server.name != "uvicorn") and ("unknown error" in refused) != ours
