"""Memory of the service with the real model: what pictures as large as it takes have cost goes back."""

import io
import sys
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import httpx2
import numpy as np
import PIL.Image
import psutil
import pytest

from fsdl_deploy.measuring.machine import peak_memory
from fsdl_deploy.picture import MAX_BYTES
from fsdl_deploy.running.servers import Server

MEBIBYTE = 2**20


def large(width: int, height: int, form: str, mode: str) -> bytes:
    """A smooth picture of a size near the limits, in few bytes."""
    small = np.random.default_rng(0).integers(0, 256, (8, 16), dtype=np.uint8)
    file = io.BytesIO()
    PIL.Image.fromarray(small).resize((width, height)).convert(mode).save(file, form)
    assert len(file.getvalue()) < MAX_BYTES
    return file.getvalue()


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the peak of memory is read from /proc")
def test_large_pictures_leave_no_memory_behind():
    pictures = [
        large(4000, 3900, "PNG", "L"),
        large(8000, 1900, "PNG", "RGB"),
        large(3000, 2900, "PNG", "RGBA"),
        large(5600, 4200, "JPEG", "RGB"),
    ]
    command = [sys.executable, "-m", "fsdl_deploy.cli", "serve", "--port", "{port}"]
    with Server(command, "/readyz") as server, httpx2.Client(timeout=120, trust_env=False) as client:

        def read(picture: bytes) -> int:
            return client.post(server.url + "/read", files={"pictures": picture}).status_code

        memory = partial(lambda process: process.memory_info().rss / MEBIBYTE, psutil.Process(server.pid))
        small = large(300, 64, "PNG", "L")
        assert {read(small) for _ in range(20)} == {200}
        before = memory()
        with ThreadPoolExecutor(4) as callers:
            assert set(callers.map(read, pictures * 3)) == {200}
        assert peak_memory(server.pid) > before + 40, "the pictures were large enough to be seen"
        assert read(small) == 200
        # Without the reader's own bounds the runtime's arena keeps 240 MiB after these.
        assert memory() < before + 100
