"""Logs the reader at a tracking server and registers it: ``log_reader.py URI EXAMPLE.png v2=champion …``.

Each word is a version of the reader and the alias it gets. Of the alias ``undescribed`` MLflow is
told nothing about the input: no signature, no example. Prints the registered versions by alias, as JSON.
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


def log(version, alias, example):
    """A run, a logged model, a version of the registered model, and an alias for it."""
    about = {"signature": signature(), "input_example": example} if alias != "undescribed" else {}
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
    pairs = [word.split("=") for word in pairs_of_words]
    return {alias: log(version, alias, pd.DataFrame({"picture": [text]})) for version, alias in pairs}


if __name__ == "__main__":
    print(json.dumps(main(*sys.argv[1:])))
