"""The Open Inference Protocol over gRPC: the same two models as over REST, from the same reader.

    python server.py --port 8001

gRPC sends messages of a fixed form (protocol buffers) over HTTP/2. The messages and the service's skeleton
are code that NVIDIA generated from the protocol's definition and ships with its client. Health and
reflection are the standard services of gRPC. Who may call is in ``access``: where FSDL_API_KEY is set,
whoever wants a reading must send it. It ends on SIGTERM, after the calls that run.
"""

import argparse
import asyncio
import os
import signal
import sys

import grpc
import numpy as np
from access import Access
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection
from tritonclient.grpc import service_pb2 as messages
from tritonclient.grpc import service_pb2_grpc as services

from fsdl_deploy.reader import OnnxReader
from fsdl_deploy.service import tensors as protocol
from fsdl_deploy.service.model import Model
from fsdl_deploy.service.parsing import MAX_BODY, Refusal

CODES = {
    404: grpc.StatusCode.NOT_FOUND,
    429: grpc.StatusCode.RESOURCE_EXHAUSTED,
    500: grpc.StatusCode.INTERNAL,
    503: grpc.StatusCode.UNAVAILABLE,
}
LONGEST = 500  # characters of a sentence
# Where a message holds the elements of a tensor that are not raw bytes.
CONTENTS = {"BYTES": "bytes_contents", "UINT8": "uint_contents", "INT64": "int64_contents"}


class Inference(services.GRPCInferenceServiceServicer):
    """The protocol's calls, each a few lines around the model that the REST service has too."""

    def __init__(self, model: Model, max_pictures: int):
        self.model, self.max_pictures = model, max_pictures

    async def ServerLive(self, request, context):
        return messages.ServerLiveResponse(live=True)

    async def ServerReady(self, request, context):
        return messages.ServerReadyResponse(ready=self._ready())

    async def ModelReady(self, request, context):
        try:
            self._known(request.name, request.version)
        except Refusal:
            return messages.ModelReadyResponse(ready=False)
        return messages.ModelReadyResponse(ready=self._ready())

    def _ready(self) -> bool:
        return self.model.reader is not None and not self.model.stopping

    async def ServerMetadata(self, request, context):
        return messages.ServerMetadataResponse(name="fsdl_deploy", version="1")

    async def ModelMetadata(self, request, context):
        try:
            version = self._known(request.name, request.version)
        except Refusal as refusal:
            await _refuse(context, refusal)

        def tensors(about):
            return [
                messages.ModelMetadataResponse.TensorMetadata(name=name, datatype=kind, shape=shape)
                for name, (kind, shape) in about.items()
            ]

        return messages.ModelMetadataResponse(
            name=request.name,
            versions=[version],
            platform="onnxruntime_onnx",
            inputs=tensors(protocol.INPUTS[request.name]),
            outputs=tensors(protocol.OUTPUTS),
        )

    async def ModelInfer(self, request, context):
        def images():
            return protocol.images_of(request.model_name, _tensors(request), self.max_pictures)

        try:
            self._known(request.model_name, request.model_version)
            wanted = _wanted(request)
            answer = await self.model.read(images)
        except Refusal as refusal:
            await _refuse(context, refusal)
        return _answer(request, answer.model_version, protocol.tensors_of(answer), wanted)

    def _known(self, name: str, version: str) -> str:
        """The version that is here; Refusal 404 for a model or a version that is not. "" is any version."""
        here = self.model.loaded().model_version
        if name not in protocol.INPUTS:
            raise Refusal(404, "model", f"there are {', '.join(protocol.INPUTS)}")
        if version not in ("", here):
            raise Refusal(404, "version", f"{name} has version {here}")
        return here


async def _refuse(context, refusal: Refusal) -> None:
    code = CODES.get(refusal.status, grpc.StatusCode.INVALID_ARGUMENT)
    # The sentence travels as metadata, for which clients have a limit.
    await context.abort(code, f"{refusal.field}: {refusal.problem}"[:LONGEST])


def _wanted(request) -> list[str]:
    """The names of the outputs that are asked for, each once: else one call could ask for gigabytes."""
    wanted = dict.fromkeys(output.name for output in request.outputs) or protocol.OUTPUTS
    for name in wanted:
        if name not in protocol.OUTPUTS:
            there = ", ".join(protocol.OUTPUTS)
            raise Refusal(400, "outputs", f"there are {there}, not {name[:80]!a}")
    return list(wanted)


def _tensors(request) -> dict:
    """The input tensors by name. Raises Refusal."""
    found, raws = {}, request.raw_input_contents
    wanted = protocol.INPUTS[request.model_name]
    if raws and len(raws) != len(request.inputs):
        raise Refusal(400, "raw_input_contents", "must have one element an input")
    for place, told in enumerate(request.inputs):
        if told.name not in wanted or told.name in found:
            raise Refusal(400, "inputs", f"the inputs are {', '.join(wanted)}, each once")
        kind, shape = wanted[told.name]
        if told.datatype != kind:
            raise Refusal(400, told.name, f"the datatype is {kind}")
        data = _contents(told, None if raws else CONTENTS[kind])
        about = {"datatype": told.datatype, "shape": list(told.shape)}
        if not raws and kind == "BYTES":
            raw, about["data"] = b"", list(data)
        else:
            raw = raws[place] if raws else _numbers(data, told.name, kind)
            about["parameters"] = {"binary_data_size": len(raw)}
        found[told.name], _ = protocol.tensor(about, told.name, kind, len(shape), memoryview(raw))
    return found


def _contents(told, field: str | None):
    """The elements in ``field`` of an input's contents, where nothing else may be. Raises Refusal."""
    for filled, _ in told.contents.ListFields():
        if filled.name != field:
            where = f"contents.{field}" if field else "raw_input_contents"
            raise Refusal(400, told.name, f"{filled.name} is filled: its {told.datatype} belongs in {where}")
    return getattr(told.contents, field) if field else ()


def _numbers(data, name: str, kind: str) -> bytes:
    """Numbers of a message as the bytes of a tensor. Raises Refusal."""
    dtype = np.dtype(protocol.DTYPES[kind])
    try:
        return np.fromiter(data, dtype, len(data)).tobytes()
    except OverflowError:
        limits = np.iinfo(dtype)
        raise Refusal(400, name, f"contents hold whole numbers from {limits.min} to {limits.max}") from None


def _answer(request, version: str, tensors: dict, wanted: list[str]):
    response = messages.ModelInferResponse(
        model_name=request.model_name, model_version=version, id=request.id
    )
    for name in wanted:
        kind, value = protocol.OUTPUTS[name][0], tensors[name]
        shape = [len(value)] if kind == "BYTES" else value.shape
        response.outputs.add(name=name, datatype=kind, shape=shape)
        raw = protocol.joined(value) if kind == "BYTES" else np.ascontiguousarray(value, "<f4").tobytes()
        response.raw_output_contents.append(raw)
    return response


async def serve(
    port: int,
    threads: int,
    max_waiting: int,
    max_batch: int,
    max_pictures: int,
    drain: float,
    grace: float,
    access: Access,
) -> None:
    """Serve until SIGTERM or Ctrl-C, and ``drain`` seconds longer, but say then that it is not ready.

    Then no new calls are taken, and those that were have ``grace`` seconds. Each further signal ends a wait.
    """
    model = Model(lambda: OnnxReader(), threads, max_waiting, max_batch)
    await model.load()
    if model.failure:
        raise SystemExit(f"the model did not load: {model.failure}")
    options = [("grpc.max_receive_message_length", MAX_BODY)]
    server = grpc.aio.server(interceptors=[access], options=options)
    services.add_GRPCInferenceServiceServicer_to_server(Inference(model, max_pictures), server)
    healthy = health.aio.HealthServicer()
    await healthy.set("", health_pb2.HealthCheckResponse.SERVING)
    health_pb2_grpc.add_HealthServicer_to_server(healthy, server)
    names = [messages.DESCRIPTOR.services_by_name["GRPCInferenceService"].full_name]
    reflection.enable_server_reflection([*names, health.SERVICE_NAME, reflection.SERVICE_NAME], server)
    bound = server.add_insecure_port(f"127.0.0.1:{port}")
    await server.start()
    print(f"serving at grpc://127.0.0.1:{bound}", flush=True)
    stop = asyncio.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(name, stop.set)
    await stop.wait()
    model.stopping = True
    await healthy.enter_graceful_shutdown()
    await _either(asyncio.sleep(drain), stop)
    await _either(_quiet(access), stop)
    access.end_streams()
    await _either(server.stop(grace), stop)
    await server.stop(None)
    model.close()


async def _quiet(access: Access) -> None:
    """Until no call has come for a moment: gRPC drops what it has received and not handed over yet."""
    for _ in range(10):
        calls = access.calls
        await asyncio.sleep(0.2)
        if access.calls == calls:
            return


async def _either(wait, stop: asyncio.Event) -> None:
    """Until ``wait`` is over or the next signal comes, whichever is first."""
    stop.clear()
    both = [asyncio.ensure_future(wait), asyncio.ensure_future(stop.wait())]
    await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
    both[1].cancel()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--port", type=int, default=8001)
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--max-waiting", type=int, default=64)
    parser.add_argument("--max-batch", type=int, default=1)
    parser.add_argument("--max-pictures", type=int, default=64)
    parser.add_argument("--drain", type=float, default=0, help="go on for so many seconds after SIGTERM")
    parser.add_argument(
        "--grace", type=float, default=30, help="seconds for calls that were taken (default: 30)"
    )
    parser.add_argument("--access-log", action="store_true", help="write a line of JSON for each call")
    args = parser.parse_args()
    access = Access(os.environ.get("FSDL_API_KEY") or None, sys.stdout if args.access_log else None)
    limits = (args.threads, args.max_waiting, args.max_batch, args.max_pictures)
    asyncio.run(serve(args.port, *limits, args.drain, args.grace, access))
