"""Serverless: the reader as one function that a cloud calls, the same one for every cloud

``respond`` knows no cloud: the body of a request in, a status and an answer out. ``handler`` is what AWS
Lambda calls, with a request as an *event*; the other clouds' entry points wrap ``respond`` in the same way.
The model is loaded by the first call and kept for those after it, as long as the cloud keeps the process.
"""

import base64
import functools
import json
import os

from fsdl_deploy.picture import decode
from fsdl_deploy.reader import LATEST, OnnxReader
from fsdl_deploy.reading import Reader

VERSION = "METER_READER_VERSION"  # the variable that says which model
FIELD = "picture"
JSON = "application/json"


class BadEvent(ValueError):
    """A call that the caller got wrong: the ``status`` of its answer, the ``field``, and a sentence."""

    def __init__(self, status: int, field: str, problem: str):
        super().__init__(problem)
        self.status, self.field = status, field


@functools.cache
def reader() -> Reader:
    """The model of this process: loaded once, by whoever asks first."""
    return OnnxReader(os.environ.get(VERSION, LATEST))


def respond(body: str | bytes) -> tuple[int, dict]:
    """``{"picture": "<base64>"}`` to a status and the answer: digits and confidence, or what is wrong.

    400: the body is not JSON; 422: a field of it is missing, unknown or no picture.
    """
    try:
        image = decode(_picture(body))
    except BadEvent as error:
        return error.status, {"error": {"field": error.field, "problem": str(error)}}
    except ValueError as error:  # PictureError, or base64's own
        return 422, {"error": {"field": FIELD, "problem": str(error)}}
    reading = reader().read([image])[0]
    return 200, {
        "model_version": reading.model_version,
        "digits": reading.digits,
        "confidence": reading.confidence,
    }


def handler(event: object, context: object = None) -> dict:
    """AWS Lambda's entry point: a request as a function URL or an API gateway sends it, and its response.

    ``event``: an object with the request's ``body``, which is in base64 where ``isBase64Encoded`` is true.
    """
    try:
        status, answer = respond(body_of(event))
    except BadEvent as error:
        status, answer = error.status, {"error": {"field": error.field, "problem": str(error)}}
    return {"statusCode": status, "headers": {"Content-Type": JSON}, "body": json.dumps(answer)}


def event(picture: bytes) -> dict:
    """The event of a request with this encoded picture: what ``handler`` is called with."""
    body = json.dumps({FIELD: base64.b64encode(picture).decode()})
    return {"version": "2.0", "headers": {"content-type": JSON}, "body": body, "isBase64Encoded": False}


def body_of(event: object) -> str | bytes:
    """The body of a request that arrives as an event. Raises BadEvent where there is none."""
    if not isinstance(event, dict):
        raise BadEvent(400, "event", "must be a JSON object with a body")
    body = event.get("body")
    if not isinstance(body, str) or not body:
        raise BadEvent(400, "body", 'is missing: send {"picture": "<base64>"} as the body of a POST')
    if not event.get("isBase64Encoded"):
        return body
    try:
        return base64.b64decode(body, validate=True)
    except ValueError as error:
        raise BadEvent(400, "body", f"isBase64Encoded is true, but it is not base64: {error}") from None


def _picture(body: str | bytes) -> bytes:
    try:
        document = json.loads(body)
    except RecursionError:
        raise BadEvent(400, "body", "the JSON is nested too deeply") from None
    except ValueError as error:
        raise BadEvent(400, "body", f"not JSON: {error}") from None
    if not isinstance(document, dict):
        raise BadEvent(422, "body", 'the JSON must be an object: {"picture": "<base64>"}')
    if unknown := sorted(document.keys() - {FIELD}):
        raise BadEvent(422, ascii(unknown[0][:80]), f"unknown field: the only field is {FIELD!r}")
    text = document.get(FIELD)
    if not isinstance(text, str):
        raise BadEvent(422, FIELD, "must be a text: the picture in base64")
    try:
        return base64.b64decode(text, validate=True)
    except ValueError as error:
        raise BadEvent(422, FIELD, f"not base64: {error}") from None
