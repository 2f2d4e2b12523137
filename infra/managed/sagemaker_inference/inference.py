"""The meter reader for SageMaker's inference toolkit: four functions, which it calls in turn"""

import base64
import json

from sagemaker_inference.errors import BaseInferenceToolkitError

from fsdl_deploy import picture
from fsdl_deploy.reader import OnnxReader


def model_fn(model_dir):
    """The model, once in each worker. ``model_dir`` has what was uploaded; our weights are in the package."""
    return OnnxReader("v2")


def input_fn(body, content_type):
    """The pictures: of one the bytes, or several as ``{"instances": [{"in0": BASE64}]}``."""
    try:
        if content_type == "application/json":
            parts = [base64.b64decode(item["in0"], validate=True) for item in json.loads(body)["instances"]]
        else:
            parts = [bytes(body)]
        return [picture.decode(part) for part in parts]
    except (KeyError, TypeError, ValueError) as error:
        raise BaseInferenceToolkitError(422, f"no picture: {error}", "Unprocessable Entity") from None


def predict_fn(images, model):
    """What is read on each picture."""
    return model.read(images)


def output_fn(readings, accept):
    """The answer, as the course's service gives it."""
    predictions = [{"digits": reading.digits, "confidence": reading.confidence} for reading in readings]
    return json.dumps({"predictions": predictions})
