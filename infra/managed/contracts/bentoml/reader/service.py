"""Our reader as BentoML's service, as a tutorial would write it."""

from dataclasses import asdict
from pathlib import Path

import bentoml

from fsdl_deploy.picture import decode
from fsdl_deploy.reader import OnnxReader


@bentoml.service
class Cards:
    def __init__(self) -> None:
        self.reader = OnnxReader()

    @bentoml.api
    def predict(self, picture: Path) -> dict:
        return asdict(self.reader.read([decode(picture.read_bytes())])[0])
