"""torch.compile as a rung of the ladder: can it run here, and how long does it compile before it answers?

It translates a module to C++ when it is first called, and again for each new kind of shape. So a service
pays at its start, or its first callers do. Knows nothing of processes or rates: see ``ladder``.
"""

import os
import shutil
import sys
import sysconfig
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from fsdl_deploy.picture import Image
from fsdl_deploy.reading import Reader

CACHE = "TORCHINDUCTOR_CACHE_DIR"


def missing() -> str | None:
    """Why torch.compile cannot run on this machine, in a sentence; None where it can.

    It needs the C++ compiler that CXX names, or the system's usual one, and Python's headers.
    """
    compiler = os.environ.get("CXX") or {"win32": "cl", "darwin": "clang++"}.get(sys.platform, "g++")
    if not shutil.which(compiler):
        return f"torch.compile is left out: there is no C++ compiler {compiler}"
    if not Path(sysconfig.get_path("include"), "Python.h").exists():
        return "torch.compile is left out: Python's headers are not installed (Debian: python3-dev)"
    return None


def seconds(reader: Reader, images: Sequence[Image], batch: int) -> float:
    """Seconds of the first calls, in which it compiles, above those of the same calls again."""
    took = []
    for _ in range(2):
        begin = time.perf_counter()
        for place in range(0, len(images), batch):
            reader.read(images[place : place + batch])
        took.append(time.perf_counter() - begin)
    return took[0] - took[1]


@contextmanager
def empty_cache(folder: Path) -> Iterator[None]:
    """Start with nothing compiled; what is compiled now is in ``folder``, for child processes too."""
    before, os.environ[CACHE] = os.environ.get(CACHE), str(folder)
    try:
        yield
    finally:
        del os.environ[CACHE]
        if before is not None:
            os.environ[CACHE] = before


@contextmanager
def threads(count: int) -> Iterator[None]:
    """torch with so many threads (0: as it is): their number is part of what is compiled."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(count or before)
    try:
        yield
    finally:
        torch.set_num_threads(before)
