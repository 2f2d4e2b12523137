"""System shared memory of the Open Inference Protocol: callers on this machine send where a tensor lies

A caller writes a tensor into a POSIX shared memory object and registers a *region* of it under a name; from
then on its messages name the region instead of carrying the tensor. All callers of a server share the names.
Knows objects, regions and their limits; knows nothing about messages.

A region is read and written through the object's descriptor, one copy each, and is not mapped: a caller that
shrinks an object, or lets its file system run full, ends every process that touches the mapped pages with
SIGBUS, while a read only comes out short. A copy is needed anyway: a caller may change the pixels after they
were checked. macOS cannot read from such a descriptor but never lets an object shrink, so there it is mapped.

Source: Triton's shared memory extension of the protocol,
https://docs.nvidia.com/deeplearning/triton-inference-server/user-guide/docs/protocol/extension_shared_memory.html
"""

import errno
import importlib.util
import mmap
import os
import re
import stat
import sys
import threading
from dataclasses import dataclass

from fsdl_deploy.service.refusal import Refusal

MOST_REGIONS = 64
"""Regions at a time: each keeps a descriptor open."""
MOST_BYTES = 2**30
"""Bytes of all registered regions together."""
LONGEST_NAME = 100  # characters of a region's name
KEY = re.compile(r"/?([A-Za-z0-9_.-]{1,200})")
SEMAPHORE = "sem."  # Linux keeps named semaphores beside the objects, under names with this prefix


class SharedObject:
    """A POSIX shared memory object that a caller made; ``size``: its first bytes that may be used.

    A lock keeps ``close`` and the copies of other threads apart: the number of a closed descriptor may soon
    be that of another file. ``mapped``: see the module.
    """

    def __init__(self, key: str, size: int, mapped: bool):
        self.key, self._lock = key, threading.Lock()
        self._descriptor: int | None = _opened(key)
        self._map: mmap.mmap | None = None
        try:
            _check(self._descriptor, size)
            if mapped:
                self._map = mmap.mmap(self._descriptor, size)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Let go of the object, which stays its maker's; whatever is read or written later raises Refusal."""
        with self._lock:
            if self._map is not None:
                self._map.close()
            if self._descriptor is not None:
                os.close(self._descriptor)
            self._descriptor = self._map = None

    def read(self, offset: int, size: int) -> bytes:
        """A copy of ``size`` bytes; fewer where the object has shrunk. Raises Refusal."""
        with self._lock:
            self._check_open()
            if self._map is not None:
                return self._map[offset : offset + size]
            return os.pread(self._descriptor, size, offset)

    def write(self, offset: int, data: bytes) -> int:
        """How many bytes were written: none where the object has shrunk. Raises Refusal, OSError."""
        with self._lock:
            self._check_open()
            if self._map is not None:
                self._map[offset : offset + len(data)] = data
                return len(data)
            if os.fstat(self._descriptor).st_size < offset + len(data):
                return 0  # a write would make the object grow again
            return os.pwrite(self._descriptor, data, offset)

    def _check_open(self) -> None:
        if self._descriptor is None:
            problem = "the region was unregistered before the turn of this call came"
            raise Refusal(404, "shared_memory_region", problem)


def _opened(key: str) -> int:
    """The descriptor of the object. Raises Refusal."""
    from _posixshmem import shm_open  # not SharedMemory, which removes the caller's object when we end

    try:
        return shm_open(f"/{key}", os.O_RDWR)
    except FileNotFoundError:
        raise Refusal(404, "key", f"there is no shared memory object {key!a}: create it first") from None
    except PermissionError:
        raise Refusal(403, "key", "the server may not read and write this object") from None
    except OSError as error:  # a folder, a link, a name that is too long for this system
        raise Refusal(400, "key", f"this is no shared memory object: {error.strerror}") from None


def _check(descriptor: int, size: int) -> None:
    """Refusal for what is not a plain object of ``size`` bytes or more that this server's callers may use."""
    about = os.fstat(descriptor)
    # macOS gives objects no type at all.
    if stat.S_IFMT(about.st_mode) not in (0, stat.S_IFREG):
        raise Refusal(400, "key", "this is no shared memory object")
    everybody = stat.S_IROTH | stat.S_IWOTH
    # A server of root may open everything: it must not do for its callers what they may not do themselves.
    if about.st_uid != os.geteuid() and about.st_mode & everybody != everybody:
        raise Refusal(403, "key", "the object belongs to another user than the server")
    if about.st_size < size:
        raise Refusal(
            400, "byte_size", f"offset and byte_size end at {size:,}, the object has {about.st_size:,} bytes"
        )


@dataclass(frozen=True)
class Region:
    """``byte_size`` bytes of an object, from ``offset`` on, by the name under which they were registered."""

    name: str
    memory: SharedObject
    offset: int
    byte_size: int


@dataclass(frozen=True)
class RegionPart:
    """The place of the tensor ``field``: ``byte_size`` bytes from ``offset`` on in a region."""

    field: str
    region: Region
    offset: int
    byte_size: int

    def read(self) -> bytes:
        """A copy of the bytes. Raises Refusal where they are not there any more."""
        data = self.region.memory.read(self.region.offset + self.offset, self.byte_size)
        if len(data) < self.byte_size:
            raise Refusal(400, self.field, "the shared memory object has shrunk since it was registered")
        return data

    def write(self, data: bytes) -> None:
        """Write ``data``, which must fit. Raises Refusal."""
        self.check(data)
        try:
            written = self.region.memory.write(self.region.offset + self.offset, data)
        except OSError as error:
            full = error.errno == errno.ENOSPC
            problem = "this machine's shared memory is full" if full else f"writing failed: {error.strerror}"
            raise Refusal(429 if full else 500, self.field, problem) from None
        if written < len(data):
            raise Refusal(400, self.field, "the shared memory object has shrunk since it was registered")

    def overlaps(self, other: "RegionPart") -> bool:
        """Whether both have a byte in common."""
        start, start_other = (part.region.offset + part.offset for part in (self, other))
        apart = start + self.byte_size <= start_other or start_other + other.byte_size <= start
        return self.region.memory.key == other.region.memory.key and not apart

    def check(self, data: bytes) -> None:
        """Refusal where ``data`` does not fit."""
        if len(data) > self.byte_size:
            problem = f"shared_memory_byte_size is {self.byte_size:,}, the tensor has {len(data):,} bytes"
            raise Refusal(400, self.field, problem)


class Regions:
    """The registered regions by name; at most ``most_regions``, together at most ``most_bytes``.

    One thread registers and looks up; parts may be read and written in others, until their region is
    unregistered. ``mapped``: by default what this system needs.
    Raises RuntimeError where there is no POSIX shared memory.
    """

    def __init__(
        self, most_regions: int = MOST_REGIONS, most_bytes: int = MOST_BYTES, mapped: bool | None = None
    ):
        if importlib.util.find_spec("_posixshmem") is None:
            raise RuntimeError(
                "this system has no POSIX shared memory (Linux and macOS do): send tensors as bytes"
            )
        self.most_regions, self.most_bytes = most_regions, most_bytes
        self._mapped = sys.platform == "darwin" if mapped is None else mapped
        self._regions: dict[str, Region] = {}

    def register(self, name: str, key: str, offset: int, byte_size: int) -> None:
        """Take ``byte_size`` bytes from ``offset`` on of the object ``key`` as the region ``name``.

        ``key`` is as POSIX has it, with or without its slash. Raises Refusal: 400 a bad argument, 403 the
        object of another user, 404 no such object, 409 the name is taken, 429 too many regions or bytes.
        """
        if not 1 <= len(name) <= LONGEST_NAME:
            raise Refusal(400, "name", f"a region's name has 1 to {LONGEST_NAME} characters")
        if name in self._regions:
            raise Refusal(409, "name", f"{name!a} is registered: unregister it first, or choose another name")
        key_match = KEY.fullmatch(key)
        if not key_match or key_match[1] in (".", "..") or key_match[1].startswith(SEMAPHORE):
            problem = "the name of a POSIX shared memory object: letters, digits, _ . and -, no path"
            raise Refusal(400, "key", problem)
        if offset < 0 or byte_size < 1:
            raise Refusal(400, "byte_size", "a region has at least 1 byte, and its offset is 0 or more")
        if len(self._regions) >= self.most_regions:
            raise Refusal(429, "name", f"{self.most_regions} regions are registered: unregister one first")
        left = self.most_bytes - sum(region.byte_size for region in self._regions.values())
        if byte_size > left:
            raise Refusal(429, "byte_size", f"{left:,} of {self.most_bytes:,} bytes are left for regions")
        memory = SharedObject(key_match[1], offset + byte_size, self._mapped)
        self._regions[name] = Region(name, memory, offset, byte_size)

    def registered(self, name: str = "") -> dict[str, Region]:
        """The region ``name``, or with "" all of them. Raises Refusal 404."""
        if not name:
            return dict(self._regions)
        return {name: self._region(name, "name")}

    def unregister(self, name: str = "") -> None:
        """Forget the region ``name``, or with "" all; as in Triton a name that is not there is no error."""
        for own in [name] if name else list(self._regions):
            if region := self._regions.pop(own, None):
                region.memory.close()

    def part(self, field: str, name: str, offset: int, byte_size: int) -> RegionPart:
        """The place of the tensor ``field`` in the region ``name``. Raises Refusal: 400 outside it, 404."""
        region = self._region(name, f"{field}.shared_memory_region")
        if offset < 0 or byte_size < 1 or offset + byte_size > region.byte_size:
            problem = f"its bytes must lie in the region, which has {region.byte_size:,}"
            raise Refusal(400, f"{field}.shared_memory_byte_size", problem)
        return RegionPart(field, region, offset, byte_size)

    def _region(self, name: str, field: str) -> Region:
        if name not in self._regions:
            raise Refusal(404, field, f"no region {name[:LONGEST_NAME]!a} is registered: register it first")
        return self._regions[name]
