"""A scikit-learn model as a custom handler of Hugging Face's Inference Endpoints."""

import joblib


class EndpointHandler:
    def __init__(self, path=""):
        self.model = joblib.load(f"{path}/model.joblib")

    def __call__(self, data):
        return self.model.predict(data["inputs"]).tolist()
