"""Errors of SageMaker's API for invocations, in the format that AWS's clients turn into exceptions

The kinds and statuses are those of the API's own description; the sentences are AWS's where they are public.
"""

import json

from fsdl_deploy.managed.sagemaker_clients import ACCOUNT

STATUS = {
    "ValidationError": 400,
    "ModelError": 424,
    "ThrottlingException": 429,
    "ModelNotReadyException": 429,
    "ServiceUnavailable": 503,
}


class InvocationError(Exception):
    """An answer other than 200: its ``kind``, the ``message``, and what the model itself had answered."""

    def __init__(self, kind: str, message: str, original_status: int | None = None, original: str = ""):
        super().__init__(message)
        self.kind, self.message, self.original_status, self.original = (
            kind,
            message,
            original_status,
            original,
        )

    @property
    def status(self) -> int:
        return STATUS[self.kind]

    @property
    def headers(self) -> dict[str, str]:
        return {"x-amzn-errortype": self.kind, "content-type": "application/json"}

    @property
    def body(self) -> bytes:
        words: dict = {"Message": self.message}
        if self.original_status is not None:
            words |= {"OriginalStatusCode": self.original_status, "OriginalMessage": self.original}
        return json.dumps(words).encode()


def unknown_endpoint(name: str) -> InvocationError:
    return InvocationError("ValidationError", f"Endpoint {name} of account {ACCOUNT} not found.")


def unknown_variant(name: str, endpoint: str) -> InvocationError:
    return InvocationError("ValidationError", f"Variant {name} was not found for endpoint {endpoint}.")


def too_large(most: int) -> InvocationError:
    return InvocationError("ValidationError", f"The body has more than {most:,} bytes: send less at once.")


def not_ascii(header: str) -> InvocationError:
    return InvocationError("ValidationError", f"The header {header} has characters beyond ASCII.")


def too_many(at_once: int) -> InvocationError:
    words = f"Rate exceeded: the endpoint takes {at_once} requests at a time."
    return InvocationError("ThrottlingException", words)


def no_answer(endpoint: str) -> InvocationError:
    words = f"Endpoint {endpoint} has no instance that could answer just now: try again."
    return InvocationError("ServiceUnavailable", words)


def too_slow() -> InvocationError:
    words = "Your invocation timed out while waiting for a response from container primary."
    return InvocationError("ModelError", words, 0, "")


def refused(status: int, text: str) -> InvocationError:
    """What the model answered, if that is no success."""
    whose = "client" if 400 <= status < 500 else "server"
    words = f'Received {whose} error ({status}) from primary with message "{text}".'
    return InvocationError("ModelError", words, status, text)
