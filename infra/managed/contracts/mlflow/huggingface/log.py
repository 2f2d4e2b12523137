"""An image classifier of the Hugging Face kind as MLflow's model: ``log.py FOLDER_OF_THE_MODEL TARGET``."""

import sys

import mlflow
from transformers import pipeline

mlflow.transformers.save_model(pipeline("image-classification", model=sys.argv[1]), sys.argv[2])
