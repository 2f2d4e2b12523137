"""Logs readers at a tracking server and registers them: ``log_reader.py URI EXAMPLE.png v2=champion …``.

Each word is a version of the reader and the alias it gets. After an alias with a ``!``, as in
``v1=challenger!``, the model is logged without a signature and without an example. Prints the registered
versions by alias, as JSON.
"""

import base64
import json
import sys
from pathlib import Path

import mlflow
import pandas as pd
from mlflow.models import ModelSignature
from mlflow.types import ColSpec, Schema

NAME = "meter-reader"
MODEL = Path(__file__).with_name("reader_model.py")


def signature():
    """A column of texts in; digits, confidence and the reader's version out."""
    outputs = {"digits": "string", "confidence": "double", "model_version": "string"}
    columns = [ColSpec(kind, name) for name, kind in outputs.items()]
    return ModelSignature(Schema([ColSpec("string", "picture")]), Schema(columns))


def log(version, alias, example, described=True):
    """A run, a logged model, a version of the registered model, and an alias for it."""
    about = {"signature": signature(), "input_example": example} if described else {}
    with mlflow.start_run(run_name=version):
        logged = mlflow.pyfunc.log_model(
            name="reader",
            python_model=str(MODEL),
            model_config={"version": version},
            pip_requirements=["onnxruntime", "numpy", "pillow"],
            registered_model_name=NAME,
            **about,
        )
    registered = logged.registered_model_version
    mlflow.MlflowClient().set_registered_model_alias(NAME, alias, registered)
    return registered


def main(uri, example, *pairs_of_words):
    mlflow.set_tracking_uri(uri)
    mlflow.set_experiment(NAME)
    text = base64.b64encode(Path(example).read_bytes()).decode()
    example, versions = pd.DataFrame({"picture": [text]}), {}
    for word in pairs_of_words:
        version, alias = word.rstrip("!").split("=")
        versions[alias] = log(version, alias, example, described=not word.endswith("!"))
    return versions


if __name__ == "__main__":
    print(json.dumps(main(*sys.argv[1:])))
