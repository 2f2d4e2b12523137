"""An image classifier of the Hugging Face kind as BentoML's service."""

import bentoml
from PIL.Image import Image
from transformers import pipeline


@bentoml.service
class Cards:
    def __init__(self) -> None:
        self.classify = pipeline("image-classification", model="model", top_k=1)

    @bentoml.api
    def predict(self, picture: Image) -> str:
        return self.classify(picture)[0]["label"]
