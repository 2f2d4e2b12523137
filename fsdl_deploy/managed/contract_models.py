"""Three models of one story: scikit-learn and Hugging Face's kind for one digit, our reader for a whole card

``prepare`` writes the files that a service is given; ``questions`` has what each is asked, and what the model
itself says when it is called without any service.
"""

import base64
import json
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from fsdl_deploy.cards import cards
from fsdl_deploy.digits import digits
from fsdl_deploy.managed.contracts import FOLDER, MODELS
from fsdl_deploy.picture import encode
from fsdl_deploy.reader import open_reader
from fsdl_deploy.running import stations
from fsdl_deploy.running.no_reports import NO_REPORTS

CLASSIFIER = FOLDER / "classifier"  # made by make_classifier.py from the 4,000 training digits


@dataclass(frozen=True)
class Questions:
    """``asked``: lists of 784 pixels, or pictures as PNG. ``expected``: the model's own digits of each."""

    asked: list
    expected: list[str]
    truth: list[str]


def fit():
    """A scikit-learn pipeline that tells a digit by its 784 pixels, 0 to 255."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import MinMaxScaler

    known = digits("train")
    model = make_pipeline(MinMaxScaler(clip=True), LogisticRegression(C=0.02, max_iter=300))
    return model.fit(known.images.reshape(-1, 784).astype(float), known.labels.astype(int))


def prepare(model: str, folder: Path, fitted=None) -> Path:
    """The files of a model in ``folder``: model.joblib, or config.json and its weights, or nothing.

    ``fitted``: a pipeline of ``fit`` to save instead of a new one. Our reader's weights are in its package.
    """
    if model not in MODELS:
        raise ValueError(f"no model {model!r}: there are {', '.join(MODELS)}")
    folder.mkdir(parents=True, exist_ok=True)
    if model == "scikit-learn":
        import joblib

        joblib.dump(fitted or fit(), folder / "model.joblib")
    elif model == "huggingface":
        shutil.copytree(CLASSIFIER, folder, dirs_exist_ok=True)
    return folder


def questions(model: str, count: int = 20, fitted=None) -> Questions:
    """What the model is asked ``count`` times. "huggingface" needs the station ``contracts``."""
    if model == "reader":
        deck = list(cards(count, seed=8))
        readings = open_reader().read([card.image for card in deck])
        pictures = [encode(card.image) for card in deck]
        return Questions(pictures, [reading.digits for reading in readings], [card.truth for card in deck])
    images, labels = digits("test").images[:count], digits("test").labels[:count]
    truth = [str(label) for label in labels]
    if model == "scikit-learn":
        pixels = images.reshape(-1, 784).astype(float)
        return Questions(pixels.tolist(), [str(n) for n in (fitted or fit()).predict(pixels)], truth)
    pictures = [encode(image) for image in images]
    texts = [base64.b64encode(picture).decode() for picture in pictures]
    return Questions(pictures, call("classify", CLASSIFIER, texts), truth)


def call(what: str, folder: Path, texts: list) -> list[str]:
    """Answers of ``infra/managed/contracts/call.py``, which calls functions in the station's Python."""
    command = [stations.python("contracts"), FOLDER / "call.py", what, folder]
    result = subprocess.run(
        command, input=json.dumps(texts), capture_output=True, text=True, timeout=600, env=quiet()
    )
    if result.returncode:
        raise RuntimeError(f"call.py {what} failed: {result.stderr.strip().splitlines()[-1]}")
    return json.loads(result.stdout.splitlines()[-1])


def quiet() -> dict[str, str]:
    """This process's environment, without reports of use, without a hub, with one thread for a model."""
    import os

    return os.environ | QUIET


QUIET = NO_REPORTS | {
    "HF_HUB_OFFLINE": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "OMP_NUM_THREADS": "1",
}
