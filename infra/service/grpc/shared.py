"""Tensors as bytes and by their place in shared memory, side by side: sizes and times, as JSON.

    python shared.py HOST:PORT FOLDER_OF_PICTURES TURNS

The server must run with --shared-memory. Both ways take turns, and which is first changes, so that both meet
the same machine. The time by place has the caller's own copy into the region in it.
"""

import json
import os
import sys
import time
from pathlib import Path

import grpc
import numpy as np
from tritonclient.grpc import service_pb2 as messages
from tritonclient.grpc import service_pb2_grpc as services
from tritonclient.utils import shared_memory

from fsdl_deploy.picture import Image, decode
from fsdl_deploy.reader import pad
from fsdl_deploy.service.tensors import DTYPES, ENCODED, INPUTS, PIXELS, elements, joined

SCALE = 16  # a card as from a scanner: so many times as high and as wide
MANY = 16  # cards in one request


def loads(folder: str) -> dict[str, tuple[str, dict[str, np.ndarray]]]:
    """The model and its input tensors as bytes with their shapes, by what they are."""
    files = [path.read_bytes() for path in sorted(Path(folder).glob("*.png"))]
    cards = [decode(file) for file in files]
    scanned = np.kron(cards[0], np.ones((SCALE, SCALE), np.uint8))
    return {
        "a card, PNG": (ENCODED, {"pictures": ([1], joined(files[:1]))}),
        f"{MANY} cards, pixels": (PIXELS, _pixels((cards * MANY)[:MANY])),
        "a large card, pixels": (PIXELS, _pixels([scanned])),
    }


def _pixels(images: list[Image]) -> dict:
    values = dict(zip(INPUTS[PIXELS], pad(images), strict=True))
    return {
        name: ([*value.shape], value.astype(DTYPES[INPUTS[PIXELS][name][0]]).tobytes())
        for name, value in values.items()
    }


class Caller:
    """Asks for readings of ``tensors`` in both ways; with a region of its own, which ``close`` takes back."""

    def __init__(self, address: str, model: str, tensors: dict):
        self.stub = services.GRPCInferenceServiceStub(grpc.insecure_channel(address))
        self.model, self.tensors = model, tensors
        self.key = f"fsdl-shared-{os.getpid()}"
        size = sum(len(data) for _, data in tensors.values())
        self.memory = shared_memory.create_shared_memory_region(self.key, self.key, size, create_only=True)
        self.stub.SystemSharedMemoryRegister(
            messages.SystemSharedMemoryRegisterRequest(name=self.key, key=self.key, byte_size=size)
        )

    def close(self) -> None:
        self.stub.SystemSharedMemoryUnregister(messages.SystemSharedMemoryUnregisterRequest(name=self.key))
        shared_memory.destroy_shared_memory_region(self.memory)

    def as_bytes(self):
        """The request that carries the tensors."""
        request = messages.ModelInferRequest(model_name=self.model)
        for name, (shape, data) in self.tensors.items():
            request.inputs.add(name=name, datatype=INPUTS[self.model][name][0], shape=shape)
            request.raw_input_contents.append(data)
        return request

    def by_place(self):
        """The request that says where the tensors are, after it has put them there."""
        request, offset = messages.ModelInferRequest(model_name=self.model), 0
        for name, (shape, data) in self.tensors.items():
            tensor = request.inputs.add(name=name, datatype=INPUTS[self.model][name][0], shape=shape)
            shared_memory.set_shared_memory_region(self.memory, [np.frombuffer(data, np.uint8)], offset)
            tensor.parameters["shared_memory_region"].string_param = self.key
            tensor.parameters["shared_memory_byte_size"].int64_param = len(data)
            tensor.parameters["shared_memory_offset"].int64_param = offset
            offset += len(data)
        return request


def measured(caller: Caller, turns: int) -> dict:
    """Bytes of the messages and milliseconds of every call, in both ways; whether all digits were equal."""
    ways = {"bytes": caller.as_bytes, "place": caller.by_place}
    sizes, times, digits = {}, {name: [] for name in ways}, set()
    for turn in range(turns + 1):  # in the first one nothing is timed: connection and pages are there then
        for name in sorted(ways, reverse=turn % 2):
            start = time.perf_counter()
            request = ways[name]()
            answer = caller.stub.ModelInfer(request)
            milliseconds = 1000 * (time.perf_counter() - start)
            sizes[name] = request.ByteSize() + answer.ByteSize()
            times[name] += [milliseconds] if turn else []
            place = [output.name for output in answer.outputs].index("digits")
            digits.add(tuple(elements(answer.raw_output_contents[place], "digits")))
    return {"sizes": sizes, "ms": times, "same": len(digits) == 1}


def main(address: str, folder: str, turns: int) -> None:
    results = {}
    for name, (model, tensors) in loads(folder).items():
        caller = Caller(address, model, tensors)
        try:
            results[name] = measured(caller, turns)
        finally:
            caller.close()
    print(json.dumps(results))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
