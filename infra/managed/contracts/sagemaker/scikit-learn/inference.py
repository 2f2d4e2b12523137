"""A scikit-learn model for SageMaker's scikit-learn container: JSON and CSV in and out are the container's."""

import joblib


def model_fn(model_dir):
    return joblib.load(f"{model_dir}/model.joblib")
