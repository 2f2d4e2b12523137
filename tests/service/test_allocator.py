"""What large pictures take of memory is given back."""

import sys
from concurrent.futures import ThreadPoolExecutor

import httpx2
import numpy as np
import pytest

from fsdl_deploy.picture import encode
from fsdl_deploy.running.servers import Server


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the setting is glibc's")
def test_a_service_that_had_large_pictures_is_as_small_as_before():
    noise = np.random.default_rng(0).integers(0, 255, (250, 500), np.uint8).repeat(8, 0).repeat(4, 1)
    pictures = [encode(noise[:height]) for height in (1000, 1500, 2000, 1200)]
    words = [sys.executable, "-m", "fsdl_deploy.cli", "serve", "--port", "{port}", "--threads", "2"]

    def read(picture: bytes) -> int:
        files = [("pictures", ("card.png", picture, "image/png"))]
        return httpx2.post(server.url + "/read", files=files, timeout=120).status_code

    with Server(words, "/readyz", timeout=120) as server, ThreadPoolExecutor(4) as pool:
        assert [read(encode(noise[:64, :400])) for _ in range(3)] == [200] * 3
        before = server.memory()
        assert set(pool.map(read, pictures * 4)) == {200}
        assert server.memory() - before < 30 * 2**20
