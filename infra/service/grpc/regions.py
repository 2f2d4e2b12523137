"""The calls of the shared memory extension, and where in a message it says that a tensor is in a region.

Knows messages; what a region is, and what is refused, is in ``fsdl_deploy.service.shared_memory``.
"""

import itertools

from statuses import refuse
from tritonclient.grpc import service_pb2 as messages

from fsdl_deploy.service.parsing import MAX_BODY
from fsdl_deploy.service.refusal import Refusal
from fsdl_deploy.service.shared_memory import RegionPart, Regions

EXTENSION = "system_shared_memory"
REGION, SIZE, OFFSET = (f"shared_memory_{word}" for word in ("region", "byte_size", "offset"))
OFF = "it is off in this server: start it with --shared-memory, or send the tensors as bytes"


class SharedMemory:
    """The three calls. ``regions``: None where the server was not asked to take part."""

    regions: Regions | None = None

    def _on(self) -> Regions:
        """The regions, or Refusal 501: a server that does not take part says so to every call."""
        if self.regions is None:
            raise Refusal(501, "shared memory", OFF)
        return self.regions

    async def SystemSharedMemoryRegister(self, request, context):
        try:
            self._on().register(request.name, request.key, request.offset, request.byte_size)
        except Refusal as refusal:
            await refuse(context, refusal)
        return messages.SystemSharedMemoryRegisterResponse()

    async def SystemSharedMemoryStatus(self, request, context):
        try:
            registered = self._on().registered(request.name)
        except Refusal as refusal:
            await refuse(context, refusal)
        response = messages.SystemSharedMemoryStatusResponse()
        for name, region in registered.items():
            status = response.regions[name]
            status.name, status.key = name, region.memory.key
            status.offset, status.byte_size = region.offset, region.byte_size
        return response

    async def SystemSharedMemoryUnregister(self, request, context):
        try:
            self._on().unregister(request.name)
        except Refusal as refusal:
            await refuse(context, refusal)
        return messages.SystemSharedMemoryUnregisterResponse()

    def parts(self, tensors) -> dict[str, RegionPart]:
        """The parts of those ``tensors`` of a message that are in shared memory, by name. Raises Refusal."""
        parts = {}
        for message in tensors:
            if message.name not in parts and (place := _place(message)):
                parts[message.name] = self._on().part(message.name, *place)
        return parts

    def input_parts(self, tensors) -> dict[str, RegionPart]:
        """The same for inputs, which together may not be longer than a message. Raises Refusal."""
        parts = self.parts(tensors)
        if sum(part.byte_size for part in parts.values()) > MAX_BODY:
            raise Refusal(413, "inputs", f"more than {MAX_BODY:,} bytes in all: send fewer pictures")
        return parts

    def output_parts(self, tensors) -> dict[str, RegionPart]:
        """The same for outputs, of which none may lie over another. Raises Refusal."""
        parts = self.parts(tensors)
        for part, other in itertools.combinations(parts.values(), 2):
            if part.overlaps(other):
                raise Refusal(400, other.field, f"its place in shared memory overlaps that of {part.field}")
        return parts


def describe(output, part: RegionPart, size: int) -> None:
    """Say in the message of an ``output`` where its ``size`` bytes are."""
    output.parameters[REGION].string_param = part.region.name
    output.parameters[SIZE].int64_param = size
    if part.offset:
        output.parameters[OFFSET].int64_param = part.offset


def _place(message) -> tuple[str, int, int] | None:
    """Region, offset and size of a tensor that is in shared memory; else None. Raises Refusal."""
    filled = [key for key in (REGION, SIZE, OFFSET) if key in message.parameters]
    if not filled:
        return None
    for key in (REGION, SIZE):
        if key not in filled:
            raise Refusal(400, f"{message.name[:80]}.{key}", f"it is missing, beside {filled[0]}")
    kind = message.parameters[REGION].WhichOneof("parameter_choice")
    if kind != "string_param":
        raise Refusal(400, f"{message.name[:80]}.{REGION}", "must be a string: the name of a region")
    numbers = []
    for key in filled[1:]:
        kind = message.parameters[key].WhichOneof("parameter_choice")
        if kind not in ("int64_param", "uint64_param"):
            raise Refusal(400, f"{message.name[:80]}.{key}", "must be a whole number of bytes")
        numbers.append(getattr(message.parameters[key], kind))
    size, offset = (*numbers, 0)[:2]
    return message.parameters[REGION].string_param, offset, size
