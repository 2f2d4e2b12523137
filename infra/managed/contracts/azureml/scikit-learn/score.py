"""A scikit-learn model as Azure's entry script."""

import json
import os
from pathlib import Path

import joblib


def init():
    global model
    model = joblib.load(Path(os.environ["AZUREML_MODEL_DIR"], "model.joblib"))


def run(raw_data):
    return model.predict(json.loads(raw_data)["data"]).tolist()
