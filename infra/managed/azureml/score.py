"""The reader as Azure Machine Learning's entry script: ``init`` once, then ``run`` for each request."""

import base64
import json
from dataclasses import asdict

from azureml_inference_server_http.api.aml_response import AMLResponse

from fsdl_deploy.picture import decode
from fsdl_deploy.reader import OnnxReader

reader: OnnxReader


def init() -> None:
    """Load the model, before the server answers."""
    global reader
    reader = OnnxReader()


def run(raw_data: str) -> AMLResponse:
    """``{"data": ["<base64>", …]}`` -> ``{"model_version": …, "readings": […]}``; a bad picture is a 422.

    An exception would be a 500: the server cannot know whose fault it is.
    """
    place = "data"
    try:
        document = json.loads(raw_data)
        if not isinstance(document, dict) or not isinstance(document.get("data"), list):
            raise ValueError('send {"data": […]}, one base64 text a picture')
        if not document["data"]:
            raise ValueError("is empty: send one base64 text a picture")
        images = []
        for number, text in enumerate(document["data"]):
            place = f"data[{number}]"
            images.append(decode(base64.b64decode(text, validate=True)))
        readings = [asdict(reading) for reading in reader.read(images)]
    except (ValueError, TypeError) as error:  # PictureError is a ValueError
        return AMLResponse({"error": {"field": place, "problem": str(error)}}, 422, json_str=True)
    return AMLResponse({"model_version": reader.model_version, "readings": readings}, 200, json_str=True)
