"""Our reader as Azure's entry script, as a tutorial would write it: nothing about errors."""

import base64
import json
from dataclasses import asdict

from fsdl_deploy.picture import decode
from fsdl_deploy.reader import OnnxReader


def init():
    global reader
    reader = OnnxReader()


def run(raw_data):
    images = [decode(base64.b64decode(text)) for text in json.loads(raw_data)["data"]]
    return [asdict(reading) for reading in reader.read(images)]
