"""An image classifier of the Hugging Face kind behind Google's model server."""

import base64
import io

import PIL.Image
from google.cloud.aiplatform.prediction.predictor import Predictor
from google.cloud.aiplatform.utils import prediction_utils
from transformers import pipeline


class Cards(Predictor):
    def load(self, artifacts_uri):
        prediction_utils.download_model_artifacts(artifacts_uri)
        self.classify = pipeline("image-classification", model=".", top_k=1)

    def predict(self, instances):
        files = [io.BytesIO(base64.b64decode(instance["b64"])) for instance in instances["instances"]]
        answers = self.classify([PIL.Image.open(file) for file in files])
        return {"predictions": [answer[0]["label"] for answer in answers]}
