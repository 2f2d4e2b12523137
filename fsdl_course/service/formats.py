"""One card in each format that the service reads: ours, those of three clouds, and the standard's

Knows how a client writes each request, and what the service calls to parse it.
"""

import base64
import json
from collections.abc import Callable, Mapping
from functools import partial

import httpx2

from fsdl_deploy.picture import Image, decode, encode
from fsdl_deploy.service import open_inference, parsing

CLOUDS = {
    "Google": "/v1/projects/utility/locations/europe-west4/endpoints/1:predict",
    "Azure": "/score",
    "SageMaker": "/invocations",
}
OURS, STANDARD = "ours, JSON", "Open Inference"
MODELS = {"picture": "meter-reader", "pixels": "meter-reader-pixels"}


def requests(
    client: httpx2.Client, url: str, image: Image, in_clouds: Mapping[str, dict]
) -> dict[str, httpx2.Request]:
    """A request for the reading of one picture uint8 ``[H, W]`` in each format, by the format's name.

    ``in_clouds``: the JSON body that each of CLOUDS wants. Raises KeyError for a cloud that is none of them.
    """
    png = encode(image)
    written = {
        OURS: ("/read", {"json": {"pictures": [base64.b64encode(png).decode()]}}),
        "ours, form": ("/read", {"files": [("pictures", ("card.png", png, "image/png"))]}),
    }
    written |= {cloud: (CLOUDS[cloud], {"json": body}) for cloud, body in in_clouds.items()}
    as_it_is = {"content": png, "headers": {"Content-Type": "image/png"}}
    written["SageMaker, picture"] = (CLOUDS["SageMaker"], as_it_is)
    for kind, model in MODELS.items():
        path, pixels = f"/v2/models/{model}/infer", kind == "pixels"
        content, headers = open_inference.binary_request([image], pixels)
        written[f"{STANDARD}, {kind}, JSON"] = (path, {"json": open_inference.json_request([image], pixels)})
        written[f"{STANDARD}, {kind}, bytes"] = (path, {"content": content, "headers": headers})
    return {name: client.build_request("POST", url + path, **how) for name, (path, how) in written.items()}


def agreeing(client: httpx2.Client, requests: Mapping[str, httpx2.Request]) -> list[str]:
    """The formats whose answer holds the digits that our own has. RuntimeError where ours holds none."""
    answers = {name: client.send(request).text for name, request in requests.items()}
    digits = json.loads(answers[OURS])["readings"][0]["digits"]
    if not digits:
        raise RuntimeError("the service read no digits, so nothing can be compared: take another card")
    return [name for name, text in answers.items() if f'"{digits}"' in text]


def parsings(requests: Mapping[str, httpx2.Request]) -> dict[str, Callable[[], object]]:
    """For each format a call of the service's own functions: from the bytes of the body to the card's pixels.

    The network, HTTP and the model are left out.
    """
    texts = json.loads(requests[OURS].read())["pictures"]
    return {
        name: partial(_parse, request, texts, base64.b64decode(texts[0]))
        for name, request in requests.items()
    }


def _parse(request: httpx2.Request, texts: list[str], png: bytes) -> None:
    body, path = request.read(), request.url.path
    if path.startswith("/v2/"):
        open_inference.parse(path.split("/")[3], body, request.headers.get(open_inference.LENGTH), 64)
    elif body[:1] == b"{":
        json.loads(body)
        parsing.decode_pictures(texts, 64)  # the same base64, however it is wrapped
    else:
        decode(png)  # the picture as it is, in a form or alone
