"""A model on trial, before it is signed: its size, whether it loads, and whether it reads the app's own cards

The app does the same before a new model may read: what it would take back is better not signed.
"""

import base64
import json

from fsdl_deploy.browser import self_test
from fsdl_deploy.browser.site import MOST_BYTES, SETTINGS
from fsdl_deploy.picture import decode
from fsdl_deploy.reader import read_batches


class NotPublished(ValueError):
    """The app would not use this model; the message says why."""


def tried(graph: bytes) -> None:
    """Raise NotPublished for an ONNX file that is too large, does not load, or cannot read the built-in
    cards.
    """
    if len(graph) > MOST_BYTES:
        raise NotPublished(f"the model has {len(graph):,} bytes, and the app takes {MOST_BYTES:,} at most")
    if len(graph) > (most := SETTINGS["budget"]["model_bytes"]):
        raise NotPublished(f"the model has {len(graph):,} bytes, and the app's budget is {most:,}")
    content = json.loads(self_test.FILE.read_text(encoding="utf-8"))
    try:
        readings = _read(graph, [decode(base64.b64decode(card["png"])) for card in content["cards"]])
    except Exception as error:  # ONNX Runtime has many kinds, and none is a fault of this program
        reason = str(error).partition("\n")[0][:200]
        raise NotPublished(f"the file is no reader in ONNX that runs here: {reason}") from None
    right = sum(r.digits == card["digits"] for r, card in zip(readings, content["cards"], strict=True))
    if right < content["at_least"]:
        raise NotPublished(
            f"the model reads {right} of the {len(readings)} cards that are built into the app, which takes "
            f"none below {content['at_least']}"
        )


def _read(graph: bytes, pictures: list) -> list:
    import onnxruntime

    session = onnxruntime.InferenceSession(graph, providers=["CPUExecutionProvider"])
    return read_batches(
        pictures, lambda batch, widths: session.run(None, {"pictures": batch, "widths": widths}), ""
    )
