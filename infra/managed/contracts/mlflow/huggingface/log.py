"""An image classifier of the Hugging Face kind as MLflow's model: ``log.py FOLDER_OF_THE_MODEL TARGET``."""

import sys

import mlflow
from transformers import pipeline

classifier = pipeline("image-classification", model=sys.argv[1])
needs = ["transformers", "torch", "pillow"]  # MLflow would find them out, but wants torchvision to do so
mlflow.transformers.save_model(classifier, sys.argv[2], pip_requirements=needs)
