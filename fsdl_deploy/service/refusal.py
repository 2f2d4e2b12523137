"""An answer other than 200, and how each path's clients want to read it.

Knows the paths of the service and the words of the clouds; knows nothing about bodies or models. Whatever
refuses, a route, a middleware or a fault, the client gets it in the format that it speaks.
"""

# As google.rpc.Code names them; anything else that a client did wrong is an INVALID_ARGUMENT there.
GOOGLE_STATUS = {
    401: "UNAUTHENTICATED",
    404: "NOT_FOUND",
    408: "DEADLINE_EXCEEDED",
    413: "INVALID_ARGUMENT",
    429: "RESOURCE_EXHAUSTED",
    500: "INTERNAL",
    503: "UNAVAILABLE",
}


AGAIN = {"Retry-After": "1"}  # seconds


class Refusal(Exception):
    """An answer other than 200: ``status``, the ``field`` at fault, the ``problem`` in a sentence."""

    def __init__(self, status: int, field: str, problem: str, headers: dict[str, str] | None = None):
        super().__init__(problem)
        self.status, self.field, self.problem, self.headers = status, field, problem, headers


def error_body(path: str, refusal: Refusal) -> dict:
    """A refusal as JSON, in the format of the service, cloud or protocol to which ``path`` belongs."""
    about = {"field": refusal.field, "problem": refusal.problem}
    sentence = f"{refusal.field}: {refusal.problem}"
    if path.startswith(("/v2", "/v1/models")):  # the Open Inference Protocol and TensorFlow Serving
        return {"error": sentence}
    if path.startswith("/v1/projects"):
        status = GOOGLE_STATUS.get(refusal.status, "INVALID_ARGUMENT")
        return {"error": {"code": refusal.status, "message": sentence, "status": status, **about}}
    if path.startswith(("/score", "/invocations", "/endpoints")):  # Azure; what boto3 prints is ``message``
        return {"error": about, "message": sentence}
    return {"error": about}
