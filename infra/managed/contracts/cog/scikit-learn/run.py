"""A scikit-learn model as Cog's runner."""

import joblib
from cog import BaseRunner, Input


class Runner(BaseRunner):
    def setup(self) -> None:
        self.model = joblib.load("model/model.joblib")

    def run(self, pixels: list[float] = Input(description="784 pixels")) -> str:  # noqa: B008
        return str(self.model.predict([pixels])[0])
