"""An image classifier of the Hugging Face kind as Azure's entry script."""

import base64
import io
import json
import os

import PIL.Image
from transformers import pipeline


def init():
    global classify
    classify = pipeline("image-classification", model=os.environ["AZUREML_MODEL_DIR"], top_k=1)


def run(raw_data):
    files = [io.BytesIO(base64.b64decode(text)) for text in json.loads(raw_data)["data"]]
    return [answer[0]["label"] for answer in classify([PIL.Image.open(file) for file in files])]
