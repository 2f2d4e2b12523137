"""The reader as a model of MLflow's: a class with ``load_context`` and ``predict``, logged as this file.

The signature has been checked when ``predict`` is called: there is a column of texts. What is in them is
ours to check.
"""

import base64

import mlflow
from mlflow.exceptions import MlflowException

from fsdl_deploy.picture import PictureError, decode
from fsdl_deploy.reader import OnnxReader


class MeterReader(mlflow.pyfunc.PythonModel):
    """A table with the column ``picture`` (base64) -> a reading for each row."""

    def load_context(self, context):
        """Called once, before the first request. The version comes with the logged model."""
        self.reader = OnnxReader(context.model_config["version"])

    def predict(self, context, model_input, params=None):
        """One dictionary a row. A bad picture is a 400 that names its row."""
        images = []
        for row, text in enumerate(model_input["picture"]):
            try:
                images.append(decode(base64.b64decode(text, validate=True)))
            except (PictureError, ValueError, TypeError) as error:
                raise MlflowException.invalid_parameter_value(f"picture, row {row}: {error}") from None
        readings = self.reader.read(images) if images else []
        return [
            {
                "digits": reading.digits,
                "confidence": reading.confidence,
                "model_version": reading.model_version,
            }
            for reading in readings
        ]


mlflow.models.set_model(MeterReader())
