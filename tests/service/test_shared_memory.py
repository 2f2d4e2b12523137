"""Regions of POSIX shared memory: bounds, names, limits, objects that shrink, and descriptors that close."""

import os
import secrets
import sys
import threading
from contextlib import contextmanager, suppress
from multiprocessing.shared_memory import SharedMemory
from pathlib import Path

import pytest

from fsdl_deploy.service.refusal import Refusal
from fsdl_deploy.service.shared_memory import LONGEST_NAME, Regions

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no POSIX shared memory")
on_linux = pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc and /dev/shm")
FOLDER = Path("/dev/shm")


def name() -> str:
    return f"fsdl-{secrets.token_hex(6)}"  # with the slash fewer than the 31 characters that macOS allows


@contextmanager
def shared(data: bytes):
    memory = SharedMemory(name(), create=True, size=len(data))
    memory.buf[: len(data)] = data
    try:
        yield memory
    finally:
        memory.close()
        memory.unlink()


def refusal(call, *words) -> tuple[int, str, str]:
    with pytest.raises(Refusal) as caught:
        call(*words)
    return caught.value.status, caught.value.field, caught.value.problem


ways = pytest.mark.parametrize("mapped", [pytest.param(False, marks=on_linux), True])


@ways
def test_a_part_lies_at_the_sum_of_both_offsets(mapped):
    regions = Regions(mapped=mapped)
    with shared(bytes(range(100))) as memory:
        regions.register("cards", memory.name, 10, 50)
        part = regions.part("pixels", "cards", 5, 3)
        assert part.read() == bytes([15, 16, 17])
        part.write(b"ab")
        assert bytes(memory.buf[13:20]) == bytes([13, 14]) + b"ab" + bytes([17, 18, 19])
        assert regions.part("pixels", "cards", 49, 1).read() == bytes([59])


@ways
def test_the_object_is_still_the_callers_when_its_region_is_gone(mapped):
    regions = Regions(mapped=mapped)
    with shared(b"12345678") as memory:
        regions.register("cards", f"/{memory.name}", 0, 8)
        part = regions.part("pixels", "cards", 0, 8)
        regions.unregister("cards")
        regions.unregister("cards")  # not there: no error
        for late in (part.read, lambda: part.write(b"1")):
            assert refusal(late)[:2] == (404, "shared_memory_region")
        assert refusal(regions.part, "pixels", "cards", 0, 8)[:2] == (404, "pixels.shared_memory_region")
        regions.register("cards", memory.name, 4, 4)
        assert regions.part("pixels", "cards", 0, 4).read() == b"5678"


@pytest.mark.parametrize(
    "key",
    [
        *("", "/", "//x", "../etc/passwd", "/a/b", "a/../b", ".", "..", "/..", "a b", "a\0b", "ä", "x" * 201),
        *("sem.lock", "/sem.lock"),
    ],
)
def test_a_key_is_the_name_of_an_object_and_no_path(key):
    status, field, problem = refusal(Regions().register, "cards", key, 0, 8)
    assert (status, field) == (400, "key") and "no path" in problem


def test_bounds_are_those_of_the_object_and_of_the_region():
    regions = Regions(mapped=False)
    with shared(bytes(100)) as memory:
        size = memory.size  # macOS rounds it up to pages
        assert refusal(regions.register, "cards", name(), 0, 8)[:2] == (404, "key")
        for offset, byte_size in ((0, size + 1), (size, 1), (1, size), (2**64 - 1, 2**64 - 1)):
            regions.most_bytes = 2**65
            assert refusal(regions.register, "cards", memory.name, offset, byte_size)[:2] == (
                400,
                "byte_size",
            )
        for offset, byte_size in ((0, 0), (-1, 8)):
            assert refusal(regions.register, "cards", memory.name, offset, byte_size)[:2] == (
                400,
                "byte_size",
            )
        assert regions.registered() == {}
        regions.register("cards", memory.name, 20, 30)
        for offset, byte_size in ((0, 31), (30, 1), (-1, 2), (0, 0), (0, -1), (29, 2)):
            status, field, problem = refusal(regions.part, "pixels", "cards", offset, byte_size)
            assert (status, field) == (400, "pixels.shared_memory_byte_size") and "has 30" in problem


def test_names_are_taken_once_and_are_short():
    regions = Regions()
    with shared(bytes(8)) as memory:
        regions.register("cards", memory.name, 0, 8)
        assert refusal(regions.register, "cards", memory.name, 0, 4)[:2] == (409, "name")
        assert regions.registered()["cards"].byte_size == 8
        for wrong in ("", "x" * (LONGEST_NAME + 1)):
            assert refusal(regions.register, wrong, memory.name, 0, 8)[:2] == (400, "name")
        assert refusal(regions.registered, "others")[:2] == (404, "name")
        assert len(refusal(regions.part, "pixels", "x" * 10**6, 0, 8)[2]) < 200


def test_regions_and_bytes_have_limits_and_unregistering_gives_both_back():
    regions = Regions(most_regions=2, most_bytes=12)
    with shared(bytes(16)) as memory:
        regions.register("a", memory.name, 0, 8)
        assert refusal(regions.register, "b", memory.name, 0, 5) == (
            429, "byte_size", "4 of 12 bytes are left for regions"
        )  # fmt: skip
        regions.register("b", memory.name, 8, 4)
        assert refusal(regions.register, "c", memory.name, 0, 1)[:2] == (429, "name")
        regions.unregister("a")
        regions.register("c", memory.name, 0, 8)
        regions.unregister()
        assert regions.registered() == {}
        regions.register("all", memory.name, 0, 12)


def test_what_does_not_fit_is_not_written():
    regions = Regions()
    with shared(bytes(16)) as memory:
        regions.register("answers", memory.name, 0, 8)
        part = regions.part("digits", "answers", 0, 4)
        status, field, problem = refusal(part.write, b"12345")
        assert (status, field) == (400, "digits") and "is 4" in problem and "has 5" in problem
        assert bytes(memory.buf) == bytes(len(memory.buf))


def test_parts_overlap_by_their_place_in_the_object():
    regions = Regions()
    with shared(bytes(32)) as memory, shared(bytes(32)) as other:
        regions.register("a", memory.name, 0, 16)
        regions.register("b", f"/{memory.name}", 8, 16)
        regions.register("c", other.name, 0, 16)
        first, next_to_it = regions.part("x", "a", 0, 8), regions.part("y", "b", 0, 8)
        assert not first.overlaps(next_to_it) and not next_to_it.overlaps(first)
        over = regions.part("z", "a", 7, 9)
        assert first.overlaps(over) and over.overlaps(first) and over.overlaps(next_to_it)
        assert not first.overlaps(regions.part("z", "c", 0, 8))


@on_linux
def test_an_object_that_shrinks_is_refused_and_does_not_end_the_process():
    """Of a mapped object the first look at the lost page would be this process's last."""
    regions = Regions()
    with shared(bytes(8192)) as memory:
        regions.register("cards", memory.name, 0, 8192)
        part = regions.part("pixels", "cards", 4096, 100)
        os.truncate(FOLDER / memory.name, 4000)
        assert refusal(part.read) == (
            400, "pixels", "the shared memory object has shrunk since it was registered"
        )  # fmt: skip
        assert refusal(part.write, b"1")[:2] == (400, "pixels")
        assert (FOLDER / memory.name).stat().st_size == 4000


@on_linux
def test_what_lies_beside_the_objects_is_none(tmp_path):
    (tmp_path / "secret").write_bytes(bytes(100))
    link, pipe, folder = (FOLDER / name() for _ in range(3))
    link.symlink_to(tmp_path / "secret")
    os.mkfifo(pipe)
    folder.mkdir()
    try:
        for path in (link, pipe, folder):
            assert refusal(Regions().register, "cards", path.name, 0, 8)[:2] == (400, "key")
    finally:
        link.unlink()
        pipe.unlink()
        folder.rmdir()


@on_linux
def test_the_object_of_another_user_is_used_only_where_everybody_may(monkeypatch):
    regions = Regions()
    with shared(bytes(8)) as memory:
        monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)  # as if the server were somebody else
        assert refusal(regions.register, "cards", memory.name, 0, 8)[:2] == (403, "key")
        os.chmod(FOLDER / memory.name, 0o664)
        assert refusal(regions.register, "cards", memory.name, 0, 8)[:2] == (403, "key")
        os.chmod(FOLDER / memory.name, 0o666)
        regions.register("cards", memory.name, 0, 8)


@on_linux
@ways
def test_no_descriptor_stays_open(mapped):
    def open_files() -> int:
        count = 0
        for descriptor in Path("/proc/self/fd").iterdir():
            with suppress(FileNotFoundError):  # of the listing itself
                count += os.readlink(descriptor) == f"{FOLDER / memory.name}"
        return count

    regions = Regions(mapped=mapped)
    with shared(bytes(8)) as memory:
        own = open_files()
        with suppress(Refusal):
            regions.register("cards", memory.name, 0, 9000)
        assert open_files() == own, "a refused object stays open"
        regions.register("cards", memory.name, 0, 8)
        regions.register("more", memory.name, 0, 8)
        assert open_files() > own
        regions.unregister("cards")
        regions.unregister()
        assert open_files() == own


@on_linux
def test_unregistering_under_load_never_reads_from_another_file(tmp_path):
    """The number of a closed descriptor goes to the next file that is opened: here one of other bytes."""
    (tmp_path / "other").write_bytes(b"x" * 4096)
    regions, wrong, stop = Regions(), [], threading.Event()
    with shared(b"a" * 4096) as memory:
        regions.register("cards", memory.name, 0, 4096)

        def read() -> None:
            while not stop.is_set():
                with suppress(Refusal):
                    wrong.extend(set(regions.part("pixels", "cards", 0, 4096).read()) - {ord("a")})

        threads = [threading.Thread(target=read) for _ in range(4)]
        for thread in threads:
            thread.start()
        for _ in range(300):
            regions.unregister("cards")
            with open(tmp_path / "other", "rb"):
                regions.register("cards", memory.name, 0, 4096)
        stop.set()
        for thread in threads:
            thread.join()
    assert wrong == []


def test_a_system_without_it_gets_one_sentence(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(RuntimeError, match="no POSIX shared memory"):
        Regions()
