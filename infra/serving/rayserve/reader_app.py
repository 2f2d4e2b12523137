"""The reader as a Ray Serve application: one class, of which Ray runs as many replicas as are wanted."""

import asyncio

from fastapi.responses import JSONResponse
from ray import serve
from starlette.requests import Request

from fsdl_deploy.picture import PictureError
from fsdl_deploy.reader import OnnxReader, read_encoded
from fsdl_deploy.reading import Reading


@serve.deployment
class MeterReader:
    """One picture as the body of a request -> ``{"digits": …, "confidence": …, "batch": …}``."""

    def __init__(self) -> None:
        self.reader = OnnxReader()

    def reconfigure(self, user_config: dict) -> None:
        """Called at the start and whenever ``user_config`` changes, in the running replica."""
        self.read.set_max_batch_size(user_config["max_batch"])
        self.read.set_batch_wait_timeout_s(user_config["delay_ms"] / 1000)

    @serve.batch
    async def read(self, pictures: list[bytes]) -> list[tuple[Reading | PictureError, int]]:
        """Called with one picture, answers for one; Ray makes the lists."""
        answers = await asyncio.to_thread(read_encoded, self.reader, pictures)
        return [(answer, len(pictures)) for answer in answers]

    async def __call__(self, request: Request):
        if request.url.path == "/ready":
            return "ready"
        answer, batch = await self.read(await request.body())
        if isinstance(answer, PictureError):
            return JSONResponse({"detail": str(answer)}, 422)
        return {"digits": answer.digits, "confidence": answer.confidence, "batch": batch}


app = MeterReader.bind()
