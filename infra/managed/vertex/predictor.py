"""The reader as a *custom prediction routine*: Google's model server calls these methods in turn.

The handler parses the JSON and passes it to ``preprocess``; what ``postprocess`` returns is the answer.
"""

import base64
from dataclasses import asdict

from fastapi import HTTPException
from google.cloud.aiplatform.prediction.predictor import Predictor

from fsdl_deploy.picture import Image, PictureError, decode
from fsdl_deploy.reader import OnnxReader
from fsdl_deploy.reading import Reading


class MeterReader(Predictor):
    """``{"instances": [{"b64": …}, …]}`` -> ``{"predictions": [{"digits": …}, …]}``."""

    def load(self, artifacts_uri: str) -> None:
        """Called once. ``artifacts_uri`` is where Google keeps the weights; ours are in the package."""
        self.reader = OnnxReader()

    def preprocess(self, prediction_input: dict) -> list[Image]:
        """Pictures uint8 ``[H, W]``. A bad instance is a 422 that names it."""
        listed = prediction_input.get("instances") if isinstance(prediction_input, dict) else None
        if not isinstance(listed, list) or not listed:
            raise HTTPException(422, 'instances: send {"instances": [{"b64": …}, …]}, one a picture')
        images = []
        for place, instance in enumerate(listed):
            try:
                images.append(decode(base64.b64decode(instance["b64"], validate=True)))
            except (PictureError, ValueError, TypeError, KeyError) as error:
                raise HTTPException(422, f"instances[{place}]: {error}") from None
        return images

    def predict(self, instances: list[Image]) -> list[Reading]:
        """One Reading for each picture."""
        return self.reader.read(instances)

    def postprocess(self, prediction_results: list[Reading]) -> dict:
        """Google's answer."""
        return {"predictions": [asdict(reading) for reading in prediction_results]}
