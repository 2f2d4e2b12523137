"""The entry script as tutorials write it: a schema as decorators, and nothing about errors."""

import base64
from dataclasses import asdict

from inference_schema.parameter_types.standard_py_parameter_type import StandardPythonParameterType
from inference_schema.schema_decorators import input_schema, output_schema

from fsdl_deploy.picture import decode
from fsdl_deploy.reader import OnnxReader

reader: OnnxReader


def init() -> None:
    """Load the model, before the server answers."""
    global reader
    reader = OnnxReader()


@input_schema("data", StandardPythonParameterType(["<base64>"]))
@output_schema(StandardPythonParameterType([{"digits": "0042", "confidence": 0.9}]))
def run(data: list[str]) -> list[dict]:
    """Texts in base64 -> readings. Whatever it raises becomes a 500."""
    return [asdict(reading) for reading in reader.read([decode(base64.b64decode(text)) for text in data])]
