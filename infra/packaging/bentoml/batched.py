"""The reader as a BentoML service with batches: what several callers ask at once is read in one call.

``MAX_BATCH`` in the environment is the largest batch; 1 is none. How long a batch waits BentoML learns from
the load: ``max_latency_ms`` is a deadline, and a request that would miss it is refused with a 503.
"""

import os
from pathlib import Path
from typing import Annotated

import bentoml
from pydantic import AfterValidator, BaseModel

from fsdl_deploy.picture import Image, decode
from fsdl_deploy.reader import OnnxReader

MAX_BATCH = int(os.environ.get("MAX_BATCH", "16"))


def picture_of(file: Path) -> Image:
    """Part of the check of types, which comes before the batch: a PictureError is a 400 to its own caller."""
    return decode(file.read_bytes())


class Answer(BaseModel):
    digits: str
    confidence: float
    batch: int


QUIET = {"access": {"enabled": False}}  # a line of log for each request is costly


@bentoml.service(name="meter-reader", workers=1, traffic={"timeout": 10}, logging=QUIET)
class MeterReader:
    def __init__(self) -> None:
        self.reader = OnnxReader()

    @bentoml.api(batchable=MAX_BATCH > 1, max_batch_size=max(MAX_BATCH, 2), max_latency_ms=5000)
    def read(self, picture: list[Annotated[Path, AfterValidator(picture_of)]]) -> list[Answer]:
        """A list goes in and a list comes out; BentoML joins the lists of several requests."""
        return [
            Answer(digits=reading.digits, confidence=reading.confidence, batch=len(picture))
            for reading in self.reader.read(picture)
        ]
