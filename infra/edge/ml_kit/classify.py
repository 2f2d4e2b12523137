"""Classify squares with MediaPipe's task, as an app would: ``classify.py PICTURES.npz MODEL.tflite``.

The library reads the metadata: nothing here says how large a picture is, what its values mean, or which
word belongs to which score. Prints ``{"labels": [...], "scores": [...], "seconds": [...]}``, or
``{"refused": ...}``.
"""

import json
import os
import sys
import time
from pathlib import Path

os.environ["MPLBACKEND"] = "agg"  # MediaPipe imports Matplotlib: a notebook's way to draw is not here

import mediapipe
import numpy as np
from mediapipe.tasks.python import BaseOptions, vision

from fsdl_deploy.targets import card_files


def classify(model: bytes, pictures: list[np.ndarray]) -> dict[str, list]:
    """The best label of each picture uint8 ``[H, W]``, its score, and how long it took in seconds."""
    options = vision.ImageClassifierOptions(BaseOptions(model_asset_buffer=model), max_results=1)
    labels, scores, seconds = [], [], []
    with vision.ImageClassifier.create_from_options(options) as classifier:
        for picture in pictures:
            coloured = np.ascontiguousarray(np.repeat(picture[:, :, None], 3, axis=2))
            image = mediapipe.Image(mediapipe.ImageFormat.SRGB, coloured)
            begin = time.perf_counter()
            (best,) = classifier.classify(image).classifications[0].categories
            seconds.append(time.perf_counter() - begin)
            labels.append(best.category_name)
            scores.append(best.score)
    return {"labels": labels, "scores": scores, "seconds": seconds}


def main(pictures: Path, model: Path) -> None:
    try:
        answer = classify(model.read_bytes(), card_files.read_cards(pictures))
    except (OSError, RuntimeError, ValueError) as error:  # the library has one for each kind of status
        answer = {"refused": str(error)}
    print(json.dumps(answer))


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
