"""What a conversion refuses or changes without a word: ``limits.py FOLDER``, with ``rows.npz`` as train.py's

Prints JSON: what the converter says of a step in Python (``function``), and what scikit-learn says of a
missing value (``missing``). Writes ``float32.onnx`` and ``float64.onnx``, one model of the rows and the
second at which each arrived, and ``arrived.npz`` with its rows ``x``, float64 ``[N, F + 1]``, and ``said``,
float64 ``[N]``, its own answers.
"""

import json
import sys
from pathlib import Path

import numpy as np
from skl2onnx import to_onnx
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

MONTH_END = 1_793_404_800  # seconds from 1970 to 31 October 2026
BURST = 600  # seconds in which all cards arrive


def the_function(known, wrong) -> str:
    clipped = FunctionTransformer(lambda rows: np.clip(rows, 0, 1))
    model = make_pipeline(clipped, LogisticRegression()).fit(known, wrong)
    return first_sentence(lambda: to_onnx(model, known[:1]))


def the_missing(known, wrong) -> str:
    model = make_pipeline(StandardScaler(), LogisticRegression()).fit(known, wrong)
    return first_sentence(lambda: model.predict_proba(np.full_like(known[:1], np.nan)))


def first_sentence(call) -> str:
    try:
        call()
    except (RuntimeError, ValueError) as error:
        return f"{type(error).__name__}: {str(error).partition('. ')[0].partition(chr(10))[0]}"
    return "nothing"


def the_seconds(known, wrong, folder) -> None:
    seconds = np.linspace(0, BURST, len(known))
    rows = np.column_stack([known.astype(float), MONTH_END + seconds])
    late = seconds > 2 / 3 * BURST  # towards the end the pictures of a slow phone arrive
    model = make_pipeline(StandardScaler(), LogisticRegression()).fit(rows, wrong | late)
    for name, example in {"float32": rows[:1].astype(np.float32), "float64": rows[:1]}.items():
        content = to_onnx(model, example, options={"zipmap": False}).SerializeToString()
        (folder / f"{name}.onnx").write_bytes(content)
    np.savez(folder / "arrived.npz", x=rows, said=model.predict_proba(rows)[:, 1])


def main() -> None:
    folder = Path(sys.argv[1])
    rows = np.load(folder / "rows.npz")
    known, wrong = rows["known"], rows["wrong"]
    the_seconds(known, wrong, folder)
    print(json.dumps({"function": the_function(known, wrong), "missing": the_missing(known, wrong)}))


if __name__ == "__main__":
    main()
