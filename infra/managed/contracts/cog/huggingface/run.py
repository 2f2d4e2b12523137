"""An image classifier of the Hugging Face kind as Cog's runner."""

import PIL.Image
from cog import BaseRunner, Input, Path
from transformers import pipeline


class Runner(BaseRunner):
    def setup(self) -> None:
        self.classify = pipeline("image-classification", model="model", top_k=1)

    def run(self, picture: Path = Input(description="a digit")) -> str:  # noqa: B008
        return self.classify(PIL.Image.open(picture))[0]["label"]
