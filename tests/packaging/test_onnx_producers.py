"""Models of scikit-learn and XGBoost as ONNX files: the same answers, and what a conversion loses."""

import json
import subprocess

import numpy as np
import onnxruntime
import pytest

from fsdl_course.setup.stations import ensure
from fsdl_deploy.paths import ROOT

pytestmark = pytest.mark.station
FOLDER = ROOT / "infra" / "packaging" / "onnx_producers"


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A folder with both models and what was tried; and what was printed."""
    folder, rng = tmp_path_factory.mktemp("trained"), np.random.default_rng(7)
    known, asked = (rng.normal(size=(count, 3)).astype(np.float32) for count in (400, 100))
    np.savez(folder / "rows.npz", known=known, wrong=known[:, 0] + known[:, 1] ** 2 > 1, asked=asked)
    python = ensure("onnx_producers")
    subprocess.run([python, FOLDER / "train.py", folder], check=True)
    run = subprocess.run([python, FOLDER / "limits.py", folder], check=True, capture_output=True, text=True)
    return folder, asked, json.loads(run.stdout)


def chances(path, rows):
    return onnxruntime.InferenceSession(path).run(["probabilities"], {"X": rows})[0][:, 1]


@pytest.mark.parametrize("name", ["scikit-learn", "xgboost"])
def test_the_file_answers_as_its_library(trained, name):
    folder, asked, _ = trained
    answer = json.loads((folder / "answers.json").read_text())[name]
    assert np.ptp(answer["wrong"]) > 0.5
    assert np.allclose(chances(folder / f"{name}.onnx", asked), answer["wrong"], atol=1e-5)
    assert set(answer["milliseconds"]) == {"library", "onnxruntime"}


def test_a_missing_value_is_an_error_a_nan_or_a_branch(trained):
    folder, asked, printed = trained
    missing = np.full_like(asked[:1], np.nan)
    assert "contains NaN" in printed["missing"]
    assert np.isnan(chances(folder / "scikit-learn.onnx", missing)).all()
    assert np.isfinite(chances(folder / "xgboost.onnx", missing)).all()


def test_a_function_is_refused_and_seconds_need_float64(trained):
    folder, _, printed = trained
    assert "FunctionTransformer is not supported" in printed["function"]
    arrived = np.load(folder / "arrived.npz")
    apart = {
        kind: np.abs(chances(folder / f"{kind}.onnx", arrived["x"].astype(kind)) - arrived["said"]).max()
        for kind in ("float32", "float64")
    }
    assert apart["float64"] < 1e-9 < 0.05 < apart["float32"]
