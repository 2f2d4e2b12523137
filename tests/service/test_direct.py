"""The model's routes in front of FastAPI answer as FastAPI's own do, byte by byte."""

import base64
import json

import numpy as np
import pytest
from starlette.testclient import TestClient

from fsdl_deploy.picture import encode
from fsdl_deploy.reading import Reading
from fsdl_deploy.service import direct
from fsdl_deploy.service.app import create_app
from fsdl_deploy.service.open_inference import binary_request

IMAGE = np.full((32, 96), 255, np.uint8)
PNG = base64.b64encode(encode(IMAGE)).decode()
BINARY, LENGTH = binary_request([IMAGE])
JSON = {"Content-Type": "application/json"}
ASKED = [  # path, body, headers
    ("/read", json.dumps({"pictures": [PNG, PNG]}).encode(), JSON),
    ("/predict", json.dumps({"pictures": [PNG]}).encode(), JSON),
    ("/read", b'{"pictures": []}', JSON),
    ("/read", b"x", {"Content-Type": "text/plain"}),
    ("/v1/projects/p/locations/l/endpoints/e:predict", json.dumps({"instances": [PNG]}).encode(), JSON),
    ("/score", json.dumps({"data": [PNG]}).encode(), JSON),
    ("/score", b"{", JSON),
    ("/invocations", encode(IMAGE), {"Content-Type": "image/png"}),
    ("/endpoints/e/invocations", encode(IMAGE), {"Content-Type": "image/png"}),
    ("/v1/models/meter-reader:predict", json.dumps({"instances": [{"b64": PNG}]}).encode(), JSON),
    ("/v1/models/meter-reader/versions/9:predict", b"{}", JSON),
    ("/v2/models/meter-reader/infer", BINARY, LENGTH),
    ("/v2/models/other/infer", BINARY, LENGTH),
    ("/v2/models/meter-reader/versions/v2/infer", BINARY, LENGTH),
    ("/v2/models/a/b/infer", BINARY, LENGTH),
    ("/v2/repository/index", b"", JSON),
    ("/readyz", b"", JSON),
    ("/read/", b"", JSON),
]


class Fixed:
    model_version = "v2"

    def read(self, images):
        return [Reading("042", 0.1 + 0.2, (1e-7, 1.0, 0.3), "v2") for _ in images]


@pytest.fixture(scope="module")
def both():
    """The service, and the same without the short way."""
    patch = pytest.MonkeyPatch()
    with TestClient(create_app(Fixed())) as short:
        assert short.get("/readyz").is_success
        patch.setattr(direct.Direct, "_find", lambda self, scope: None)
        long = TestClient(create_app(Fixed()))
        with long:
            patch.undo()
            yield short, long, patch


@pytest.mark.parametrize(("path", "body", "headers"), ASKED)
def test_each_answer_is_the_one_that_fastapi_gives(both, path, body, headers):
    short, long, patch = both
    headers = headers | {"X-Request-Id": "same"}
    ours = short.post(path, content=body, headers=headers)
    patch.setattr(direct.Direct, "_find", lambda self, scope: None)
    theirs = long.post(path, content=body, headers=headers)
    patch.undo()
    assert ours.status_code == theirs.status_code
    assert ours.content == theirs.content
    assert dict(ours.headers) == dict(theirs.headers)


def test_a_request_for_a_reading_never_comes_to_fastapi_and_others_do(both, monkeypatch):
    short, *_ = both

    async def unreachable(*_):
        raise AssertionError("it was passed on")

    monkeypatch.setattr("starlette.routing.Router.__call__", unreachable)
    assert short.post("/read", json={"pictures": [PNG]}).status_code == 200
    assert short.post("/v2/models/meter-reader/infer", content=BINARY, headers=LENGTH).status_code == 200
    assert short.get("/healthz").status_code == 500
