"""The reader as a Truss model: ``load`` once, then ``predict`` for each request."""

import base64

from fastapi import HTTPException
from pydantic import BaseModel, Field

from fsdl_deploy.picture import decode
from fsdl_deploy.reader import OnnxReader


class Question(BaseModel):
    picture: str = Field(description="a meter card as PNG, JPEG, WebP, BMP or GIF, in base64")
    threshold: float = Field(0.5, ge=0, le=1, description="a person reads below this")


class Answer(BaseModel):
    digits: str
    confidence: float
    by_hand: bool
    model_version: str


class Model:
    def __init__(self, **kwargs):
        """Truss passes the configuration, the secrets and the folder of data; we need none of them."""

    def load(self) -> None:
        """Load the model, before the server says that it is ready."""
        self.reader = OnnxReader()

    def predict(self, request: Question) -> Answer:
        """Read one card. A picture that is none is a 422."""
        try:
            image = decode(base64.b64decode(request.picture, validate=True))
        except ValueError as error:  # PictureError is one
            raise HTTPException(422, f"picture: {error}") from None
        reading = self.reader.read([image])[0]
        return Answer(
            digits=reading.digits,
            confidence=reading.confidence,
            by_hand=reading.confidence < request.threshold,
            model_version=reading.model_version,
        )
