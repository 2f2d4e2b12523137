"""A scikit-learn model as MLflow's model: ``log.py FOLDER_OF_THE_MODEL TARGET``."""

import sys

import joblib
import mlflow

mlflow.sklearn.save_model(joblib.load(f"{sys.argv[1]}/model.joblib"), sys.argv[2])
