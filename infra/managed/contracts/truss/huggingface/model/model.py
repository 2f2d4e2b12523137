"""An image classifier of the Hugging Face kind as Truss wants it."""

import base64
import io

import PIL.Image
from transformers import pipeline


class Model:
    def __init__(self, **kwargs):
        self.folder = str(kwargs["data_dir"])

    def load(self):
        self.classify = pipeline("image-classification", model=self.folder, top_k=1)

    def predict(self, request):
        file = io.BytesIO(base64.b64decode(request["picture"]))
        return self.classify(PIL.Image.open(file))[0]["label"]
