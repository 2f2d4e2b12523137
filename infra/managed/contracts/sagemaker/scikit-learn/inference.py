"""A scikit-learn model for SageMaker's scikit-learn container, which reads JSON and CSV itself."""

import joblib


def model_fn(model_dir):
    return joblib.load(f"{model_dir}/model.joblib")
