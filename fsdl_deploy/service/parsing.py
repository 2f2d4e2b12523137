"""What a request brings to the model service: encoded pictures, or a refusal that names the problem.

Knows HTTP bodies (JSON with base64, multipart); knows nothing about models. Every limit is checked before
memory is spent: on the bytes as they arrive (in ``body_limit``), then on the number of pictures, then on
the pixels.
"""

import base64
import contextlib
import json
import math
import re
import sys

import numpy as np
from starlette.datastructures import Headers
from starlette.formparsers import MultiPartParser
from starlette.requests import ClientDisconnect, Request

from fsdl_deploy import picture
from fsdl_deploy.service.refusal import Refusal

MAX_BODY = 12 * 2**20
"""Bytes in one request: room for one picture of picture.MAX_BYTES as base64, with a margin."""
MAX_PIXELS = 2 * picture.MAX_PIXELS
"""Pixels in one request after decoding: 64 small files could otherwise unpack to gigabytes."""


def describe(max_pictures: int) -> dict:
    """The request body of POST /read, as the OpenAPI document says it."""

    def content(item: dict, **more) -> dict:
        pictures = {"type": "array", "minItems": 1, "maxItems": max_pictures, "items": item}
        properties = {"pictures": pictures}
        return {
            "schema": {
                "type": "object",
                "required": ["pictures"],
                "properties": properties,
                "additionalProperties": False,
            },
            **more,
        }

    blank = base64.b64encode(picture.encode(np.full((32, 96), 255, np.uint8))).decode()
    return {
        "requestBody": {
            "required": True,
            "content": {
                "application/json": content(
                    {"type": "string", "format": "base64-picture", "contentEncoding": "base64"},
                    example={"pictures": [blank]},
                ),
                "multipart/form-data": content(
                    {"type": "string", "format": "binary"},
                    encoding={
                        "pictures": {"contentType": "image/png, image/jpeg, image/webp, image/bmp, image/gif"}
                    },
                ),
            },
        }
    }


def content_type(request: Request) -> str:
    """What kind of body it is, such as ``application/json``."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


async def json_body(request: Request) -> bytes | None:
    """The body, yet to be parsed, if it is JSON; None for another type.

    JSON is also an object under the type of a web form: so ``curl -d '{…}'`` sends it, which is how the
    lecture and the documentation of the clouds write a request.
    """
    kind = content_type(request)
    if kind == "application/json":
        return await request.body()
    if kind == "application/x-www-form-urlencoded" and re.match(rb"\s*{", body := await request.body()):
        return body
    return None


async def encoded_pictures(request: Request, max_pictures: int) -> list[bytes] | bytes:
    """Receive the body: the parts of a multipart body, or the bytes of a JSON body, yet to be parsed.

    Raises Refusal: 400 malformed, 408 too slow, 413 too long, 415 another content type, 422 wrong fields.
    """
    if (body := await json_body(request)) is not None:
        return body
    if content_type(request) == "multipart/form-data":
        return await _from_multipart(request, max_pictures)
    raise Refusal(
        415, "Content-Type", "send application/json or multipart/form-data, the page /docs shows an example"
    )


def parse_pictures(body: list[bytes] | bytes, max_pictures: int) -> list[picture.Image]:
    """Parse and decode what ``encoded_pictures`` received; slow, so not for the event loop.

    Raises Refusal: 400 not JSON, 413 too many pixels, 422 too many pictures or a bad ``pictures[i]``.
    """
    return decode_pictures(body if isinstance(body, list) else _from_json(body, max_pictures), max_pictures)


def decode_pictures(
    encoded: list[bytes | str], max_pictures: int, name: str = "pictures"
) -> list[picture.Image]:
    """Decode pictures, each as bytes or as base64; ``name`` is what the request calls their list.

    Raises Refusal: 413 too many pixels, 422 too many pictures or a bad ``pictures[i]``.
    """
    if not encoded:
        raise Refusal(422, name, "the list is empty: send at least one picture")
    if len(encoded) > max_pictures:
        raise _too_many(f"{len(encoded):,} pictures", max_pictures, name)
    images, pixels = [], 0
    for place, data in enumerate(encoded):
        field = f"{name}[{place}]"
        try:
            images.append(picture.decode(_from_base64(data) if isinstance(data, str) else data))
        except ValueError as error:
            raise Refusal(422, field, str(error)) from None
        pixels += images[-1].size
        if pixels > MAX_PIXELS:
            raise Refusal(413, field, f"the pictures have more than {MAX_PIXELS:,} pixels in all: send fewer")
    return images


def _too_many(what: str, max_pictures: int, name: str = "pictures") -> Refusal:
    return Refusal(422, name, f"{what}: at most {max_pictures} pictures in one request, send several")


class _WholeForm(MultiPartParser):
    """Starlette's parser gives the parts that were whole when a body ends early; this one tells."""

    spool_max_size = sys.maxsize  # in memory, as any body below its limit: a disk may be read-only or full
    cut_off = False

    def on_part_begin(self) -> None:
        super().on_part_begin()
        self.cut_off = True

    def on_end(self) -> None:
        super().on_end()
        self.cut_off = False


async def _from_multipart(request: Request, max_pictures: int) -> list[bytes]:
    # Starlette decodes a part without a filename to text. As Latin-1 no byte is lost, so that a
    # picture sent in that way is read too.
    content_type = re.sub(
        "(?i)form-data", "form-data; charset=latin-1", request.headers["content-type"], count=1
    )
    limits = {"max_files": max_pictures, "max_fields": max_pictures, "max_part_size": picture.MAX_BYTES}
    parser = _WholeForm(Headers({"content-type": content_type}), request.stream(), **limits)
    try:
        async with contextlib.AsyncExitStack() as stack:
            form = await parser.parse()
            stack.push_async_callback(form.close)
            if parser.cut_off:
                raise Refusal(400, "body", "the form is cut off: it ends before its closing boundary")
            parts = form.multi_items()
            for name, _ in parts:
                if name != "pictures":
                    raise Refusal(422, ascii(name[:80]), 'unknown part: name every part "pictures"')
            return [
                part.encode("latin-1") if isinstance(part, str) else await part.read() for _, part in parts
            ]
    except (Refusal, ClientDisconnect, OSError, MemoryError):  # the last two are no fault of the client's
        raise
    except Exception as error:  # hostile charsets and boundaries make the parser raise many types
        problem = getattr(error, "message", type(error).__name__)
        if problem.startswith("Too many"):
            raise _too_many("too many parts", max_pictures) from None
        raise Refusal(400, "body", f"malformed multipart body: {problem}") from None


def _from_json(body: bytes, max_pictures: int) -> list[str]:
    # Base64 has no commas, a data URL has one: a longer list is refused before it becomes objects.
    document = json_object(body, 2 * max_pictures + 8, '{"pictures": ["<base64>", …]}', max_pictures)
    for name in document:
        if name != "pictures":
            raise Refusal(422, ascii(name[:80]), 'unknown field: the only field is "pictures"')
    if "pictures" not in document:
        raise Refusal(422, "pictures", "the field is missing: a list of pictures in base64")
    encoded = document["pictures"]
    if not isinstance(encoded, list):
        raise Refusal(422, "pictures", "must be a list of strings, also for one picture")
    for place, text in enumerate(encoded):
        if not isinstance(text, str):
            raise Refusal(422, f"pictures[{place}]", "must be a string: the picture in base64")
    return encoded


def json_object(
    body: bytes, most_values: int, example: str, max_pictures: int, name: str = "pictures"
) -> dict:
    """The JSON object in ``body``. Raises Refusal: 400 not JSON, 422 no object or too many values.

    Values are counted by their commas before they become objects, which take twenty times the memory
    of the text "[],[],[],…".
    """
    if (commas := body.count(b",")) > most_values:
        raise _too_many(f"about {commas + 1:,} values", max_pictures, name)
    try:
        document = json.loads(body, parse_constant=_refuse_constant)
    except RecursionError:
        raise Refusal(400, "body", "the JSON is nested too deeply") from None
    except ValueError as error:
        raise Refusal(400, "body", f"not JSON: {error}") from None
    if not isinstance(document, dict):
        raise Refusal(422, "body", f"the JSON must be an object: {example}")
    return document


def can_come_back(value: object) -> bool:
    """Whether a value of a request can stand in the answer: JSON has no infinity, UTF-8 no half character."""
    if isinstance(value, float):
        return math.isfinite(value)  # 1e999 is read as infinity
    if isinstance(value, str):
        return not re.search("[\ud800-\udfff]", value)
    return value is None or isinstance(value, int)


def _refuse_constant(name: str):
    raise ValueError(f"{name} is no JSON value")


def _from_base64(text: str) -> bytes:
    """Decode base64 with or without line breaks and ``data:image/png;base64,``; else ValueError."""
    if text[:5].lower() == "data:":
        head, comma, text = text.partition(",")
        if not comma or not head.lower().endswith(";base64"):
            raise ValueError("the data URL is not base64: it must start like data:image/png;base64,")
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except ValueError as error:
        raise ValueError(f"not base64: {error}") from None
