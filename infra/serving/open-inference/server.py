"""The Open Inference Protocol over gRPC: the same two models as over REST, from the same reader.

    python server.py --port 8001

gRPC sends messages of a fixed form (protocol buffers) over HTTP/2. The messages and the service's skeleton
are code that NVIDIA generated from the protocol's definition and ships with its client. Health and
reflection are the standard services of gRPC. It ends on SIGTERM, after the calls that run.
"""

import argparse
import asyncio
import contextlib
import os
import signal

import grpc
import numpy as np
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection
from tritonclient.grpc import service_pb2 as messages
from tritonclient.grpc import service_pb2_grpc as services

from fsdl_deploy import tensors as protocol
from fsdl_deploy.reader import OnnxReader
from fsdl_deploy.service_body import MAX_BODY, Refusal
from fsdl_deploy.service_model import Model

CODES = {
    404: grpc.StatusCode.NOT_FOUND,
    429: grpc.StatusCode.RESOURCE_EXHAUSTED,
    500: grpc.StatusCode.INTERNAL,
    503: grpc.StatusCode.UNAVAILABLE,
}


class Inference(services.GRPCInferenceServiceServicer):
    """The protocol's calls, each a few lines around the model that the REST service has too."""

    def __init__(self, model: Model, max_pictures: int):
        self.model, self.max_pictures = model, max_pictures

    async def ServerLive(self, request, context):
        return messages.ServerLiveResponse(live=True)

    async def ServerReady(self, request, context):
        return messages.ServerReadyResponse(ready=self._ready())

    async def ModelReady(self, request, context):
        return messages.ModelReadyResponse(ready=request.name in protocol.INPUTS and self._ready())

    def _ready(self) -> bool:
        return self.model.reader is not None and not self.model.stopping

    async def ServerMetadata(self, request, context):
        return messages.ServerMetadataResponse(name="fsdl_deploy", version="1")

    async def ModelMetadata(self, request, context):
        await self._known(request.name, context)

        def tensors(about):
            return [
                messages.ModelMetadataResponse.TensorMetadata(name=name, datatype=kind, shape=shape)
                for name, (kind, shape) in about.items()
            ]

        return messages.ModelMetadataResponse(
            name=request.name,
            versions=[self.model.loaded().model_version],
            platform="onnxruntime_onnx",
            inputs=tensors(protocol.INPUTS[request.name]),
            outputs=tensors(protocol.OUTPUTS),
        )

    async def ModelInfer(self, request, context):
        await self._known(request.model_name, context)

        def images():
            return protocol.images_of(request.model_name, _tensors(request), self.max_pictures)

        try:
            answer = await self.model.read(images)
        except Refusal as refusal:
            code = CODES.get(refusal.status, grpc.StatusCode.INVALID_ARGUMENT)
            await context.abort(code, f"{refusal.field}: {refusal.problem}")
        wanted = [output.name for output in request.outputs] or list(protocol.OUTPUTS)
        if unknown := [name for name in wanted if name not in protocol.OUTPUTS]:
            await context.abort(grpc.StatusCode.INVALID_ARGUMENT, f"outputs: there is no {unknown[0]!r}")
        return _answer(request, answer.model_version, protocol.tensors_of(answer), wanted)

    async def _known(self, name: str, context) -> None:
        if name not in protocol.INPUTS:
            await context.abort(grpc.StatusCode.NOT_FOUND, f"there are {', '.join(protocol.INPUTS)}")


def _tensors(request) -> dict:
    """The input tensors by name. Raises Refusal."""
    found = {}
    wanted = protocol.INPUTS[request.model_name]
    for place, told in enumerate(request.inputs):
        if told.name not in wanted or told.name in found:
            raise Refusal(400, "inputs", f"the inputs are {', '.join(wanted)}, each once")
        kind, shape = wanted[told.name]
        about = {"datatype": told.datatype, "shape": list(told.shape)}
        if request.raw_input_contents:
            if len(request.raw_input_contents) != len(request.inputs):
                raise Refusal(400, "raw_input_contents", "must have one element an input")
            raw = request.raw_input_contents[place]
            about["parameters"] = {"binary_data_size": len(raw)}
        else:
            raw = b""
            about["data"] = list(
                told.contents.bytes_contents or told.contents.uint_contents or told.contents.int64_contents
            )
        found[told.name], _ = protocol.tensor(about, told.name, kind, len(shape), memoryview(raw))
    return found


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
    port: int, threads: int, max_waiting: int, max_batch: int, max_pictures: int, drain: float
) -> None:
    """Serve until SIGTERM or Ctrl-C, and ``drain`` seconds longer, but say then that it is not ready.

    The second signal ends it at once.
    """
    model = Model(lambda: OnnxReader(), threads, max_waiting, max_batch)
    await model.load()
    if model.failure:
        raise SystemExit(f"the model did not load: {model.failure}")
    server = grpc.aio.server(options=[("grpc.max_receive_message_length", MAX_BODY)])
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
    stop.clear()
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(stop.wait(), drain)
    await server.stop(grace=5)
    model.close()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--port", type=int, default=8001)
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--max-waiting", type=int, default=64)
    parser.add_argument("--max-batch", type=int, default=1)
    parser.add_argument("--max-pictures", type=int, default=64)
    parser.add_argument("--drain", type=float, default=0)
    args = parser.parse_args()
    asyncio.run(serve(**vars(args)))
