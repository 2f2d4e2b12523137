"""The calls of the Open Inference Protocol over gRPC, around the model that the REST service has too.

The messages and the skeleton of the service are code that NVIDIA generated from the protocol's definition and
ships with its client. Knows messages; tensors in shared memory are found in ``regions``, and how the server
starts and ends is in ``server``.
"""

import numpy as np
from regions import EXTENSION, SharedMemory, describe
from statuses import refuse
from tritonclient.grpc import service_pb2 as messages
from tritonclient.grpc import service_pb2_grpc as services

from fsdl_deploy.picture import Image
from fsdl_deploy.service.model import Model
from fsdl_deploy.service.refusal import Refusal
from fsdl_deploy.service.shared_memory import RegionPart, Regions
from fsdl_deploy.service.tensors import DTYPES, INPUTS, OUTPUTS, images_of, joined, tensor, tensors_of

# Where a message holds the elements of a tensor that are not raw bytes.
CONTENTS = {"BYTES": "bytes_contents", "UINT8": "uint_contents", "INT64": "int64_contents"}


class Inference(SharedMemory, services.GRPCInferenceServiceServicer):
    """The protocol's calls, each a few lines around the model that the REST service has too."""

    def __init__(self, model: Model, max_pictures: int, regions: Regions | None = None):
        self.model, self.max_pictures, self.regions = model, max_pictures, regions

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
        extensions = [] if self.regions is None else [EXTENSION]
        return messages.ServerMetadataResponse(name="fsdl_deploy", version="1", extensions=extensions)

    async def ModelMetadata(self, request, context):
        try:
            version = self._known(request.name, request.version)
        except Refusal as refusal:
            await refuse(context, refusal)

        def described(tensors: dict) -> list:
            return [
                messages.ModelMetadataResponse.TensorMetadata(name=name, datatype=kind, shape=shape)
                for name, (kind, shape) in tensors.items()
            ]

        return messages.ModelMetadataResponse(
            name=request.name,
            versions=[version],
            platform="onnxruntime_onnx",
            inputs=described(INPUTS[request.name]),
            outputs=described(OUTPUTS),
        )

    async def ModelInfer(self, request, context):
        def images() -> list[Image]:
            return images_of(request.model_name, _tensors(request, sources), self.max_pictures)

        try:
            self._known(request.model_name, request.model_version)
            output_names = _output_names(request)
            sources, targets = self.input_parts(request.inputs), self.output_parts(request.outputs)
            answer = await self.model.read(images)
            return _answer(request, answer.model_version, tensors_of(answer), output_names, targets)
        except Refusal as refusal:
            await refuse(context, refusal)

    def _known(self, name: str, version: str) -> str:
        """The version that is here; Refusal 404 for a model or a version that is not. "" is any version."""
        loaded_version = self.model.loaded().model_version
        if name not in INPUTS:
            raise Refusal(404, "model", f"there are {', '.join(INPUTS)}")
        if version not in ("", loaded_version):
            raise Refusal(404, "version", f"{name} has version {loaded_version}")
        return loaded_version


def _output_names(request) -> list[str]:
    """The names of the outputs that are asked for, each once: else one call could ask for gigabytes."""
    output_names = dict.fromkeys(output.name for output in request.outputs) or OUTPUTS
    for name in output_names:
        if name not in OUTPUTS:
            raise Refusal(400, "outputs", f"there are {', '.join(OUTPUTS)}, not {name[:80]!a}")
    return list(output_names)


def _tensors(request, parts: dict[str, RegionPart]) -> dict:
    """The input tensors by name, those of ``parts`` from shared memory. Raises Refusal."""
    tensors, raws = {}, list(request.raw_input_contents)
    inputs = INPUTS[request.model_name]
    if raws and len(raws) != sum(request_input.name not in parts for request_input in request.inputs):
        raise Refusal(400, "raw_input_contents", "must have one element an input outside shared memory")
    rest = iter(raws)
    for request_input in request.inputs:
        name = request_input.name
        if name not in inputs or name in tensors:
            raise Refusal(400, "inputs", f"the inputs are {', '.join(inputs)}, each once")
        kind, shape = inputs[name]
        if request_input.datatype != kind:
            raise Refusal(400, name, f"the datatype is {kind}")
        part = parts.get(name)
        data = _contents(request_input, None if raws or part else CONTENTS[kind], bool(part))
        described = {"datatype": request_input.datatype, "shape": list(request_input.shape)}
        if not raws and not part and kind == "BYTES":
            raw, described["data"] = b"", list(data)
        else:
            raw = part.read() if part else next(rest) if raws else _numbers(data, name, kind)
            described["parameters"] = {"binary_data_size": len(raw)}
        tensors[name], _ = tensor(described, name, kind, len(shape), memoryview(raw))
    return tensors


def _contents(request_input, field: str | None, shared: bool):
    """The elements in ``field`` of an input's contents, where nothing else may be. Raises Refusal."""
    for filled, _ in request_input.contents.ListFields():
        if filled.name != field:
            where = f"contents.{field}" if field else "shared memory" if shared else "raw_input_contents"
            problem = f"{filled.name} is filled: its {request_input.datatype} belongs in {where}"
            raise Refusal(400, request_input.name, problem)
    return getattr(request_input.contents, field) if field else ()


def _numbers(data, name: str, kind: str) -> bytes:
    """Numbers of a message as the bytes of a tensor. Raises Refusal."""
    dtype = np.dtype(DTYPES[kind])
    try:
        return np.fromiter(data, dtype, len(data)).tobytes()
    except OverflowError:
        limits = np.iinfo(dtype)
        raise Refusal(400, name, f"contents hold whole numbers from {limits.min} to {limits.max}") from None


def _answer(request, version: str, tensors: dict, output_names: list[str], parts: dict[str, RegionPart]):
    """The outputs of ``parts`` go to shared memory: all of them, or with a Refusal none."""
    response = messages.ModelInferResponse(
        model_name=request.model_name, model_version=version, id=request.id
    )
    raws = {}
    for name in output_names:
        kind, value = OUTPUTS[name][0], tensors[name]
        raws[name] = joined(value) if kind == "BYTES" else np.ascontiguousarray(value, "<f4").tobytes()
        shape = [len(value)] if kind == "BYTES" else value.shape
        output = response.outputs.add(name=name, datatype=kind, shape=shape)
        # A client counts the outputs, so one in shared memory has a place here too.
        response.raw_output_contents.append(b"" if name in parts else raws[name])
        if name in parts:
            parts[name].check(raws[name])
            describe(output, parts[name], len(raws[name]))
    for name, part in parts.items():
        part.write(raws[name])
    return response
