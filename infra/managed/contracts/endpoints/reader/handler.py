"""Our reader as a custom handler of Hugging Face's Inference Endpoints: nothing about errors."""

import base64
from dataclasses import asdict

from fsdl_deploy.picture import decode
from fsdl_deploy.reader import OnnxReader


class EndpointHandler:
    def __init__(self, path=""):
        self.reader = OnnxReader()

    def __call__(self, data):
        images = [decode(base64.b64decode(text)) for text in data["inputs"]]
        return [asdict(reading) for reading in self.reader.read(images)]
