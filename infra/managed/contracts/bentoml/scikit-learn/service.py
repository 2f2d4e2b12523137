"""A scikit-learn model as BentoML's service."""

import bentoml
import joblib
import numpy as np


@bentoml.service
class Cards:
    def __init__(self) -> None:
        self.model = joblib.load("model/model.joblib")

    @bentoml.api
    def predict(self, pixels: np.ndarray) -> np.ndarray:
        return self.model.predict(pixels)
