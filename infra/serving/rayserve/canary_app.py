"""A canary as a Ray Serve application: two versions of the reader, and a router of ours before them.

Ray has no word for a canary. It has deployments that call each other, and settings that change while they
run: the router chooses by customer.
"""

import asyncio
import zlib

from ray import serve
from starlette.requests import Request

from fsdl_deploy.reader import OnnxReader, read_encoded


@serve.deployment(ray_actor_options={"num_cpus": 0.2})
class Version:
    """One version of the reader."""

    def __init__(self, version: str) -> None:
        self.reader = OnnxReader(version)

    async def read(self, picture: bytes) -> dict:
        (reading,) = await asyncio.to_thread(read_encoded, self.reader, [picture])
        return {"digits": reading.digits, "confidence": reading.confidence, "version": reading.model_version}


@serve.deployment(ray_actor_options={"num_cpus": 0.1})
class Router:
    """Who gets which version: ``share`` of the customers the candidate, which may read all others unseen."""

    def __init__(self, stable, candidate) -> None:
        self.stable, self.candidate, self.share, self.shadow, self.seen = stable, candidate, 0.0, False, 0

    def reconfigure(self, user_config: dict) -> None:
        """Called at the start and whenever ``user_config`` changes, in the running router."""
        self.share, self.shadow = user_config["share"], user_config["shadow"]

    async def __call__(self, request: Request) -> dict | str:
        if request.url.path == "/ready":
            return "ready"
        picture, customer = await request.body(), request.headers.get("x-customer", "")
        if zlib.crc32(customer.encode()) / 2**32 < self.share:
            return await self.candidate.read.remote(picture)
        answer = await self.stable.read.remote(picture)
        if self.shadow:
            unseen = await self.candidate.read.remote(picture)
            answer |= {"unseen": unseen["digits"]}  # a real router would note it and keep it to itself
        return answer


app = Router.bind(Version.options(name="stable").bind("v2"), Version.options(name="candidate").bind("v3-bad"))
