"""A Reader whose model is behind a URL: the client's side of model-as-service.

Keeps the Reader protocol, so a prototype, a batch job or a billing page moves from a model inside to
a model service by changing one argument. Every request has a timeout, every answer is checked, and
every error says what to do. Knows the service's paths and its JSON; knows nothing about models. How a request
keeps to its time is in ``deadline``.
"""

import base64
import json
import math
import random
import re
import time
from collections.abc import Iterator, Sequence
from urllib.parse import urlsplit

import httpx2

from fsdl_deploy import proxies
from fsdl_deploy.api_key import checked
from fsdl_deploy.deadline import DeadlineClient, LongAnswer
from fsdl_deploy.picture import MAX_BYTES, MAX_PIXELS, Image, PictureError, encode
from fsdl_deploy.reading import Reading

MAX_ANSWER = 16 * 2**20
_BACKOFF, _LONGEST_WAIT = 0.1, 5.0  # seconds
_QUALITIES = (90, 60, 30, 10)  # of a JPEG, tried in this order
_AROUND = 100  # bytes of a body around its pictures
_SMALL = 2**20  # bytes of base64 that every service takes
_PICTURE_STATUS = (400, 413, 422)  # the service speaks about the pictures, not about itself


class RemoteError(RuntimeError):
    """The service gave no usable answer; the message says what to do."""


class RemoteReader:
    """Reads through a model service: ``RemoteReader("http://127.0.0.1:8000").read(images)``.

    ``timeout``: seconds for one request with its whole answer, however slowly it drips. ``retries``: how
    often to try again, with growing random pauses, when the service cannot be reached, is busy (429, 503)
    or drops the connection; reading twice does no harm. A refusal is never tried again, and neither is a
    request that timed out, because a slow service does not get faster with more requests.
    ``api_key``: for a service that asks for one; ValueError for a key that can never match.
    Threads may share one RemoteReader. Close it, or use it in ``with``.
    """

    def __init__(self, url: str, timeout: float = 5.0, retries: int = 2, api_key: str | None = None):
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(f"{url!r} is no address of a service: it looks like http://127.0.0.1:8000")
        api_key = checked(api_key, "the service's API key")
        self.url, self.timeout, self.retries = url.rstrip("/"), timeout, retries
        self._version: str | None = None
        self._limits: tuple[int, int] | None = None
        local = proxies.is_local(parts.hostname)
        if not local:
            if problem := proxies.missing_for(parts.scheme, parts.hostname):
                raise ValueError(problem)
            proxies.settle()  # in an interpreter that the set-up did not build
        # Certificates are loaded for https only: that takes longer than many readings.
        self._client = DeadlineClient(
            timeout,
            headers={"Authorization": f"Bearer {api_key}"} if api_key else None,
            trust_env=not local,
            verify=parts.scheme == "https",
        )

    @property
    def model_version(self) -> str:
        """The version that gave the last answer; before the first answer the service is asked."""
        if self._version is None:
            self._ask_limits()
        return self._version

    def read(self, images: Sequence[Image]) -> list[Reading]:
        """Read pictures uint8 ``[H, W]``; one Reading each, in order, in few requests.

        Pixels go as PNG, unchanged. A picture whose PNG is more than the service takes, such as a photograph
        of many noisy pixels, goes as JPEG of quality 90, or of the best lower one that fits: the digits stay,
        and the confidence moves by about 0.0001, by 0.001 in heavy noise.
        Raises PictureError for a picture that the service refuses, RemoteError when it does not answer.
        """
        encoded = []
        for place, image in enumerate(images):
            try:
                encoded.append(_base64(image))
            except PictureError as error:
                raise PictureError(f"pictures[{place}]: {error}") from None
        if self._limits is None and (len(encoded) > 1 or sum(map(len, encoded)) > _SMALL):
            self._ask_limits()
        if self._limits:
            most = min(MAX_BYTES, (self._limits[1] - _AROUND) * 3 // 4)  # base64 makes 4 bytes of 3
            for place, image in enumerate(images):
                qualities = iter(_QUALITIES)
                while len(encoded[place]) > most // 3 * 4 and (quality := next(qualities, None)):
                    encoded[place] = _base64(image, quality)
        readings: list[Reading] = []
        for chunk in self._chunks(encoded, [image.size for image in images]):
            answer = self._ask("POST", "/read", len(readings), json={"pictures": chunk})
            readings += self._readings(answer, len(chunk))
        return readings

    def close(self) -> None:
        self._client.close()

    def __enter__(self) -> "RemoteReader":
        return self

    def __exit__(self, *exception) -> None:
        self.close()

    def _ask_limits(self) -> None:
        answer = self._ask("GET", "/readyz")
        try:
            limits = _count(answer["max_pictures"]), _count(answer["max_bytes"])
            self._version, self._limits = _text(answer["model_version"]), limits
        except (KeyError, TypeError, ValueError):
            raise self._strange("/readyz without model_version, max_pictures or max_bytes") from None

    def _chunks(self, encoded: list[str], pixels: list[int]) -> Iterator[list[str]]:
        """Lists for one request each: within the service's limits, and half of the pixels it would decode."""
        max_pictures, max_bytes = self._limits or (1, math.inf)
        chunk, size, area = [], _AROUND, 0
        for text, count in zip(encoded, pixels, strict=True):
            size, area = size + len(text) + 4, area + count
            if chunk and (len(chunk) == max_pictures or size > max_bytes or area > MAX_PIXELS):
                yield chunk
                chunk, size, area = [], _AROUND + len(text) + 4, count
            chunk.append(text)
        if chunk:
            yield chunk

    def _readings(self, answer: dict, count: int) -> list[Reading]:
        try:
            version = _text(answer["model_version"])
            readings = [_reading(item, version) for item in answer["readings"]]
        except (KeyError, TypeError, ValueError) as error:
            raise self._strange(f"an answer without an expected field or value ({error})") from None
        if len(readings) != count:
            raise self._strange(f"{len(readings)} readings for {count} pictures")
        self._version = version
        return readings

    def _ask(self, method: str, path: str, offset: int = 0, **body) -> dict:
        """One request with its retries; ``offset`` pictures went before, for the place in an error."""
        for attempt in range(self.retries + 1):
            pause = _BACKOFF * 2**attempt * random.uniform(0.5, 1.5)
            try:
                status, headers, content = self._client.send(method, self.url + path, MAX_ANSWER, **body)
            except httpx2.TimeoutException:
                raise RemoteError(
                    f"no answer from {self.url} within {self.timeout:g} s: is the service running and not "
                    "overloaded? start it with: fsdl-deploy serve"
                ) from None
            except (httpx2.HTTPError, httpx2.InvalidURL) as error:
                reason = str(error) or type(error).__name__
                problem = RemoteError(
                    f"no service at {self.url} ({reason}): start it with: fsdl-deploy serve"
                )
            except LongAnswer as error:
                raise self._strange(str(error)) from None
            else:
                document = _document(content)
                if status == 200 and document is not None:
                    return document
                problem = self._problem(status, headers, document, offset)
                if status not in (429, 503):
                    raise problem
                pause = max(pause, _retry_after(headers))
            if attempt < self.retries:
                time.sleep(min(pause, _LONGEST_WAIT))
        raise problem

    def _problem(self, status: int, headers: httpx2.Headers, document: dict | None, offset: int) -> Exception:
        error = (document or {}).get("error")
        if not isinstance(error, dict) or not {"field", "problem"} <= error.keys():
            kind = headers.get("content-type", "no content type")
            return self._strange(f"status {status} and {kind}")
        field, problem = str(error["field"]), str(error["problem"])
        if status in _PICTURE_STATUS:
            field = re.sub(r"^pictures\[(\d+)\]", lambda match: f"pictures[{int(match[1]) + offset}]", field)
            return PictureError(f"{field}: {problem}")
        advice = "try again later" if status in (429, 503) else "see the service's log"
        return RemoteError(f"the service at {self.url} answered {status}: {problem} ({advice})")

    def _strange(self, what: str) -> RemoteError:
        return RemoteError(
            f"{self.url} is not a reader service, or one of another version: it answered with {what}; "
            "check the URL, the service is started with: fsdl-deploy serve"
        )


def _base64(image: Image, quality: int | None = None) -> str:
    return base64.b64encode(encode(image, quality)).decode("ascii")


def _reading(item: dict, version: str) -> Reading:
    """One reading of the answer's JSON. Raises KeyError, TypeError or ValueError if it is none."""
    digits, parts = _text(item["digits"]), item["digit_confidence"]
    if digits.strip("0123456789"):
        raise ValueError("digits that are none")
    if not isinstance(parts, list) or len(parts) != len(digits):
        raise ValueError("digit_confidence not for each digit")
    return Reading(digits, _share(item["confidence"]), tuple(map(_share, parts)), version)


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{type(value).__name__} instead of text")
    return value


def _count(value: object) -> int:
    if type(value) is not int or value < 1:
        raise ValueError("a limit below 1, or no number")
    return value


def _share(value: object) -> float:
    if type(value) not in (int, float) or not 0 <= value <= 1:  # NaN is not between them either
        raise ValueError("a confidence that is not from 0 to 1")
    return float(value)


def _document(content: bytes) -> dict | None:
    try:
        document = json.loads(content)
    except (ValueError, RecursionError):
        return None
    return document if isinstance(document, dict) else None


def _retry_after(headers: httpx2.Headers) -> float:
    """Seconds that the service asks to wait; the form with a date counts as no wish."""
    try:
        return max(0.0, float(headers.get("retry-after", "")))
    except ValueError:
        return 0.0
