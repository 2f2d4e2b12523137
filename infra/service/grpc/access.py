"""Who may call, and what was answered: an API key, a request id, and one line of log a call, as over REST.

An interceptor around the calls of a gRPC server. Knows metadata, which are gRPC's headers; knows nothing
about pictures or models. Accounts, TLS and quotas belong to the proxy in front.
"""

import asyncio
import inspect
import json
import logging
import random
import time
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import TextIO
from urllib.parse import unquote

import grpc
from google.protobuf.message import DecodeError

from fsdl_deploy.api_key import allows
from fsdl_deploy.service.access import REQUEST_ID

log = logging.getLogger(__name__)
INFERENCE = "/inference.GRPCInferenceService/"
ABOUT = ("ServerLive", "ServerReady", "ServerMetadata", "ModelReady", "ModelMetadata")
OPEN = ("/grpc.health.", "/grpc.reflection.", *(INFERENCE + call for call in ABOUT))


class Access(grpc.aio.ServerInterceptor):
    """Asks for ``api_key`` where the model runs, and writes JSON lines to ``log``.

    Health, reflection and what is told about the models stay open. A client's ``x-request-id`` is kept, else
    one is made; it stands in the answer's trailing metadata and in the log. ``calls``: how many have come
    to run the model.
    """

    def __init__(self, api_key: str | None = None, log: TextIO | None = None):
        self.api_key, self.log = api_key, log
        self.calls, self._streams, self._ending = 0, set(), False

    def end_streams(self) -> None:
        """End the calls that last as long as their clients, as health's Watch does; the others go on."""
        self._ending = True
        for stream in self._streams:
            stream.cancel()

    async def intercept_service(self, continuation, details):
        self.calls += not details.method.startswith(OPEN)
        metadata = {}
        for key, value in details.invocation_metadata or ():
            metadata.setdefault(key, value)
        handler = await continuation(details)
        authorization = metadata.get("authorization", "")
        if self.api_key and not details.method.startswith(OPEN) and not allows(self.api_key, authorization):
            sentence = "authorization: send the service's key as metadata, authorization: Bearer KEY"
            handler = _refusing(grpc.StatusCode.UNAUTHENTICATED, sentence)
        elif handler is None or not _asynchronous(_behaviour(handler)[1]):
            # The generated skeleton has calls that nobody wrote; they are plain functions.
            sentence = "there is no such call here: reflection and the notebook say which there are"
            handler = _refusing(grpc.StatusCode.UNIMPLEMENTED, sentence)
        proposed_id = metadata.get("x-request-id", "")
        # Not uuid4, for the reason that the service's access gives.
        request_id = proposed_id if REQUEST_ID.fullmatch(proposed_id) else f"{random.getrandbits(128):032x}"
        return self._watched(handler, details.method, request_id)

    def _watched(self, handler, path: str, request_id: str):
        """The same handler, with the id in its answer and a line in the log."""
        kind, behaviour = _behaviour(handler)
        if inspect.isasyncgenfunction(behaviour):

            async def answers(request, context):
                async with self._watch(context, path, request_id, stream=True):
                    async for message in behaviour(request, context):
                        yield message

            return handler._replace(**{kind: answers})
        # gRPC would parse a single message before the call is watched, and end it with UNKNOWN for nonsense.
        parse = None if handler.request_streaming else handler.request_deserializer

        async def answer(request, context):
            async with self._watch(context, path, request_id, handler.response_streaming):
                return await behaviour(await _parsed(parse, request, context), context)

        return handler._replace(
            **{kind: answer}, request_deserializer=None if parse else handler.request_deserializer
        )

    @asynccontextmanager
    async def _watch(self, context, path: str, request_id: str, stream: bool = False):
        started, cancelled, task = time.perf_counter(), False, asyncio.current_task()
        client = _host(context.peer())  # now: after the end of a call gRPC has none, and ends the process
        context.set_trailing_metadata((("x-request-id", request_id),))
        if stream:
            self._streams.add(task)
        try:
            yield
        except (asyncio.CancelledError, GeneratorExit):
            if task in self._streams and self._ending:
                await context.abort(grpc.StatusCode.UNAVAILABLE, "service: it is stopping")
            cancelled = True
            raise
        except grpc.aio.AbortError:
            raise
        except Exception:
            log.exception("a call failed")
            await context.abort(grpc.StatusCode.INTERNAL, "service: it failed; its log says why")
        finally:
            self._streams.discard(task)
            if self.log:
                line = {
                    "time": datetime.now(UTC).isoformat(timespec="milliseconds"), "request_id": request_id,
                    "method": "POST", "path": path,  # as HTTP/2 has it: each call is a POST
                    "status": "CANCELLED" if cancelled else (context.code() or grpc.StatusCode.OK).name,
                    "ms": round(1000 * (time.perf_counter() - started), 1),
                    "client": client,
                }  # fmt: skip
                self.log.write(json.dumps(line) + "\n")
                self.log.flush()


def _behaviour(handler) -> tuple[str, object]:
    """Which of the four kinds of call a handler is for, and its function."""
    kinds = ("unary_unary", "unary_stream", "stream_unary", "stream_stream")
    return next((kind, getattr(handler, kind)) for kind in kinds if getattr(handler, kind))


async def _parsed(parse, request, context):
    try:
        return parse(request) if parse else request
    except DecodeError:
        await context.abort(grpc.StatusCode.INVALID_ARGUMENT, "message: it does not have the call's form")


def _asynchronous(behaviour) -> bool:
    return inspect.iscoroutinefunction(behaviour) or inspect.isasyncgenfunction(behaviour)


def _refusing(code: grpc.StatusCode, sentence: str):
    async def refuse(_, context):
        await context.abort(code, sentence)

    # For a stream of messages, so that none is received before the answer, however long it is.
    return grpc.stream_stream_rpc_method_handler(refuse)


def _host(peer: str) -> str:
    """The address of ``ipv4:127.0.0.1:4711`` or ``ipv6:%5B::1%5D:4711``, without its port."""
    return unquote(peer).partition(":")[2].rpartition(":")[0].strip("[]")
