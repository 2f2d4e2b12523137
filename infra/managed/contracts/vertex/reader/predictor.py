"""Our reader behind Google's model server, as a tutorial would write it: nothing about errors."""

import base64
from dataclasses import asdict

from google.cloud.aiplatform.prediction.predictor import Predictor

from fsdl_deploy.picture import decode
from fsdl_deploy.reader import OnnxReader


class Cards(Predictor):
    def load(self, artifacts_uri):
        self.reader = OnnxReader()

    def predict(self, instances):
        images = [decode(base64.b64decode(instance["b64"])) for instance in instances["instances"]]
        return {"predictions": [asdict(reading) for reading in self.reader.read(images)]}
