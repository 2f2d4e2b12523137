"""Calls a model or an adapter without a server, as its service calls it: ``call.py WHAT FOLDER < questions``.

``classify``: the classifier in FOLDER, called directly. ``handler``: FOLDER/handler.py as Hugging Face's
endpoints call it. ``model_fn``: FOLDER/inference.py as SageMaker's scikit-learn container calls it, which
brings input and output of its own. The model's files lie in FOLDER too. The last line printed is JSON.
"""

import base64
import importlib.util
import io
import json
import sys
from pathlib import Path


def load(file):
    """A module from its file."""
    about = importlib.util.spec_from_file_location(file.stem, file)
    module = importlib.util.module_from_spec(about)
    about.loader.exec_module(module)
    return module


def classify(folder, questions):
    import PIL.Image
    from transformers import pipeline

    model = pipeline("image-classification", model=str(folder), top_k=1)
    pictures = [PIL.Image.open(io.BytesIO(base64.b64decode(text))) for text in questions]
    return [answer[0]["label"] for answer in model(pictures)]


def handler(folder, questions):
    return load(folder / "handler.py").EndpointHandler(str(folder))({"inputs": questions})


def model_fn(folder, questions):
    return load(folder / "inference.py").model_fn(str(folder)).predict(questions).tolist()


if __name__ == "__main__":
    call = {function.__name__: function for function in (classify, handler, model_fn)}[sys.argv[1]]
    answers = call(Path(sys.argv[2]), json.load(sys.stdin))
    print(json.dumps([answer["digits"] if isinstance(answer, dict) else str(answer) for answer in answers]))
