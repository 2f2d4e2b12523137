"""Our reader as a class of MLflow's, as a tutorial would write it: nothing about errors."""

import base64
from dataclasses import asdict

import mlflow

from fsdl_deploy.picture import decode
from fsdl_deploy.reader import OnnxReader


class Cards(mlflow.pyfunc.PythonModel):
    def load_context(self, context):
        self.reader = OnnxReader()

    def predict(self, model_input):
        images = [decode(base64.b64decode(text)) for text in model_input["picture"]]
        return [asdict(reading) for reading in self.reader.read(images)]


mlflow.models.set_model(Cards())
