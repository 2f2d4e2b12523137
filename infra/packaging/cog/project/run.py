"""The reader as a Cog runner: ``setup`` once, then ``run`` for each request."""

from cog import BaseModel, BaseRunner, Input, Path

from fsdl_deploy.picture import decode
from fsdl_deploy.reader import OnnxReader


class Answer(BaseModel):
    digits: str
    confidence: float
    by_hand: bool
    model_version: str


class Runner(BaseRunner):
    def setup(self) -> None:
        """Load the model, before the server says that it is ready."""
        self.reader = OnnxReader()

    def run(
        self,
        picture: Path = Input(description="a meter card, a picture file"),  # noqa: B008
        threshold: float = Input(description="a person reads below this", default=0.5, ge=0, le=1),
    ) -> Answer:
        """Read one card. A picture that is none is a failed prediction."""
        reading = self.reader.read([decode(picture.read_bytes())])[0]
        return Answer(
            digits=reading.digits,
            confidence=reading.confidence,
            by_hand=reading.confidence < threshold,
            model_version=reading.model_version,
        )
