"""The Open Inference Protocol's own contract, in our words, and a fuzzer that holds the service to it.

Two lines are ours. The protocol's document knows no status but 200 for a GET of a model, so no server could
answer truly about a model that is not there; its text asks for an HTTP error status and an error object, and
that is what stands here. And it cannot know a model's tensors, so what its schema allows may be refused; one
path more has inputs that the model takes, and there everything that is allowed must be answered.
"""

import re

import numpy as np
import pytest
import schemathesis
from fake_service import WidthReader
from hypothesis import HealthCheck, settings
from schemathesis.checks import load_all_checks
from schemathesis.specs.openapi.checks import positive_data_acceptance

from fsdl_deploy.service.open_inference import json_request
from fsdl_deploy.service.tensors import ENCODED, OUTPUTS, PIXELS

load_all_checks()
TEXT, PARAMETERS = {"type": "string"}, {"type": "object"}


def listed(items: dict) -> dict:
    return {"type": "array", "items": items}


def structure(required: str, **properties) -> dict:
    return {"type": "object", "required": required.split(), "properties": properties}


def as_json(schema: dict) -> dict:
    return {"description": "", "content": {"application/json": {"schema": schema}}}


DATA = listed({"anyOf": [{"type": "array"}, {"type": "number"}, TEXT, {"type": "boolean"}]})
ABOUT = {"name": TEXT, "datatype": TEXT, "shape": listed({"type": "integer"})}
TENSORS = listed(structure("name datatype shape data", **ABOUT, data=DATA, parameters=PARAMETERS))
TOLD = listed(structure("name datatype shape", **ABOUT))
ERROR = as_json(structure("error", error=TEXT))
SERVER = structure("name version extensions", name=TEXT, version=TEXT, extensions=listed(TEXT))
MODEL = structure(
    "name platform inputs outputs",
    name=TEXT, versions=listed(TEXT), platform=TEXT, inputs=TOLD, outputs=TOLD,
)  # fmt: skip
QUESTION = structure(
    "inputs",
    id=TEXT, parameters=PARAMETERS, inputs=TENSORS,
    outputs=listed(structure("name", name=TEXT, parameters=PARAMETERS)),
)  # fmt: skip
ANSWER = structure(
    "model_name outputs",
    model_name=TEXT, model_version=TEXT, id=TEXT, parameters=PARAMETERS, outputs=TENSORS,
)  # fmt: skip
OK = {"description": ""}
GOOD = [json_request([np.full((32, width), 200, np.uint8) for width in (101, 99)[:n]]) for n in (1, 2)]
NAMED = listed(structure("name", name={"enum": [*OUTPUTS]}, parameters=PARAMETERS))
KNOWN = structure(
    "inputs",
    id=TEXT,
    parameters=PARAMETERS,
    outputs=NAMED,
    inputs={"enum": [body["inputs"] for body in GOOD]},
)
HERE = {"name": [ENCODED, PIXELS], "version": [WidthReader().model_version]}
PATHS = {
    "/v2/health/live": {"get": {"responses": {"200": OK}}},
    "/v2/health/ready": {"get": {"responses": {"200": OK}}},
    "/v2/": {"get": {"responses": {"200": as_json(SERVER), "400": ERROR}}},
    "/v2/models/{name}/versions/{version}": {"get": {"responses": {"200": as_json(MODEL), "4XX": ERROR}}},
    "/v2/models/{name}/versions/{version}/ready": {"get": {"responses": {"200": OK, "4XX": ERROR}}},
    "/v2/models/{name}/versions/{version}/infer": {
        "post": {"requestBody": as_json(QUESTION), "responses": {"200": as_json(ANSWER), "400": ERROR}}
    },
    f"/v2/models/{ENCODED}/infer": {
        "post": {
            "requestBody": as_json(KNOWN) | {"required": True},
            "responses": {"200": as_json(ANSWER), "400": ERROR},
        }
    },
}
for path, item in PATHS.items():
    item["parameters"] = [
        {"name": name, "in": "path", "required": True, "schema": {"enum": HERE[name]}}
        for name in re.findall(r"{(\w+)}", path)
    ]
protocol = schemathesis.openapi.from_dict(
    {"openapi": "3.0.0", "info": {"title": "Data Plane", "version": "2.0"}, "paths": PATHS}
)


def promise(path: str, method: str):
    """The test that one operation of the service keeps what the protocol promises."""
    unknowable = [positive_data_acceptance] if path.endswith("{version}/infer") else []

    @protocol.include(path=path, method=method.upper()).parametrize()
    @settings(max_examples=40, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
    def kept(case, server):
        case.call_and_validate(base_url=server.url, excluded_checks=unknowable)

    return kept


# A function for each: what Schemathesis makes of one function has one id, and xdist runs an id once.
for path, item in PATHS.items():
    method = next(iter(item))
    globals()[f"test_protocol_of_{method}{re.sub('[^a-z0-9]+', '_', path)}"] = promise(path, method)


@pytest.mark.parametrize("model", [ENCODED, PIXELS])
def test_answers_to_good_requests_are_the_protocols(client, model):
    question = json_request([np.full((32, 101), 200, np.uint8)], pixels=model == PIXELS)
    for version in ("", f"/versions/{HERE['version'][0]}"):
        for method, end, body in (("GET", "", None), ("GET", "/ready", None), ("POST", "/infer", question)):
            answer = client.request(method, f"/v2/models/{model}{version}{end}", json=body)
            assert answer.status_code == 200, answer.text
            protocol["/v2/models/{name}/versions/{version}" + end][method].validate_response(answer)


@pytest.mark.parametrize("what", ["other", f"{ENCODED}/versions/9"])
def test_a_model_that_is_not_here(client, what):
    for method, end, status in (("GET", "", 404), ("GET", "/ready", 404), ("POST", "/infer", 400)):
        answer = client.request(method, f"/v2/models/{what}{end}", json={"inputs": []} if end else None)
        assert answer.status_code == status and set(answer.json()) == {"error"}, answer.text
