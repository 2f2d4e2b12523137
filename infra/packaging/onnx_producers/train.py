"""Train two small models and write them as ONNX: ``train.py FOLDER``

``FOLDER/rows.npz`` holds ``known`` float32 ``[N, F]`` with ``wrong`` bool ``[N]``, and ``asked`` float32
``[M, F]``. Writes ``scikit-learn.onnx``, ``xgboost.onnx``, and ``answers.json``: for each library what it
says itself of the rows of ``asked``, and its milliseconds for one row, in turns with ONNX Runtime's.
"""

import json
import sys
from pathlib import Path

import numpy as np
import onnxruntime
from onnxmltools import convert_xgboost
from onnxmltools.convert.common.data_types import FloatTensorType
from skl2onnx import to_onnx
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from xgboost import XGBClassifier

from fsdl_deploy.measuring.turns import in_turns


def by_sklearn(known, wrong):
    model = make_pipeline(StandardScaler(), LogisticRegression()).fit(known, wrong)
    return model, to_onnx(model, known[:1], options={"zipmap": False})


def by_xgboost(known, wrong):
    model = XGBClassifier(n_estimators=60, max_depth=3, learning_rate=0.1, n_jobs=1).fit(known, wrong)
    return model, convert_xgboost(model, initial_types=[("X", FloatTensorType([None, known.shape[1]]))])


def main() -> None:
    folder = Path(sys.argv[1])
    rows = np.load(folder / "rows.npz")
    answers, row = {}, rows["asked"][:1]
    for name, train in {"scikit-learn": by_sklearn, "xgboost": by_xgboost}.items():
        model, graph = train(rows["known"], rows["wrong"])
        content = graph.SerializeToString()
        (folder / f"{name}.onnx").write_bytes(content)
        session = onnxruntime.InferenceSession(content)
        ways = {
            "library": lambda model=model: model.predict_proba(row),
            "onnxruntime": lambda session=session: session.run(None, {"X": row}),
        }
        spent = {way: float(np.median(taken)) for way, taken in in_turns(ways, 200).items()}
        answers[name] = {"wrong": model.predict_proba(rows["asked"])[:, 1].tolist(), "milliseconds": spent}
    (folder / "answers.json").write_text(json.dumps(answers))


if __name__ == "__main__":
    main()
