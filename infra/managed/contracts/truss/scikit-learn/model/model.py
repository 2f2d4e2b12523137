"""A scikit-learn model as Truss wants it."""

import joblib


class Model:
    def __init__(self, **kwargs):
        self.folder = kwargs["data_dir"]

    def load(self):
        self.model = joblib.load(self.folder / "model.joblib")

    def predict(self, request):
        return self.model.predict(request["pixels"]).tolist()
