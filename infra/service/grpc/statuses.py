"""From a refusal to a status of gRPC: the code that fits, and the sentence that names the field."""

import grpc

from fsdl_deploy.service.refusal import Refusal

CODES = {
    403: grpc.StatusCode.PERMISSION_DENIED,
    404: grpc.StatusCode.NOT_FOUND,
    409: grpc.StatusCode.ALREADY_EXISTS,
    429: grpc.StatusCode.RESOURCE_EXHAUSTED,
    500: grpc.StatusCode.INTERNAL,
    501: grpc.StatusCode.UNIMPLEMENTED,
    503: grpc.StatusCode.UNAVAILABLE,
}
LONGEST = 500  # characters of a sentence


async def refuse(context, refusal: Refusal) -> None:
    """End the call with the refusal."""
    code = CODES.get(refusal.status, grpc.StatusCode.INVALID_ARGUMENT)
    # The sentence travels as metadata, for which clients have a limit.
    await context.abort(code, f"{refusal.field}: {refusal.problem}"[:LONGEST])
