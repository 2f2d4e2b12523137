"""The reader as a BentoML service: made once a worker, ``read`` for each request."""

from pathlib import Path
from typing import Annotated

import bentoml
from bentoml.exceptions import InvalidArgument
from pydantic import BaseModel, Field

from fsdl_deploy.picture import PictureError, decode
from fsdl_deploy.reader import OnnxReader


class Answer(BaseModel):
    digits: str
    confidence: float
    by_hand: bool
    model_version: str


@bentoml.service(name="meter-reader", workers=1, traffic={"timeout": 10})
class MeterReader:
    def __init__(self) -> None:
        """Load the model, before the worker says that it is ready."""
        self.reader = OnnxReader()

    @bentoml.api
    def read(self, picture: Path, threshold: Annotated[float, Field(ge=0, le=1)] = 0.5) -> Answer:
        """Read one card; a person reads below the threshold. A picture that is none is a 400."""
        try:
            reading = self.reader.read([decode(picture.read_bytes())])[0]
        except PictureError as error:
            raise InvalidArgument(str(error)) from None
        return Answer(
            digits=reading.digits,
            confidence=reading.confidence,
            by_hand=reading.confidence < threshold,
            model_version=reading.model_version,
        )
