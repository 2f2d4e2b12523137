"""Feedback from other folks: the pictures they call wrong, with their words, in a local folder.

Lecture, section 1: a prototype is there to collect it. Knows nothing of the page that asked.
"""

import hashlib
import json
from datetime import UTC, datetime
from pathlib import Path

from fsdl_deploy.picture import Image, encode
from fsdl_deploy.reading import Reading

FOLDER = Path("build/feedback")


def save_feedback(folder: Path, image: Image, reading: Reading, says: str) -> Path:
    """Keep a picture that somebody calls wrong: a PNG, and one line in ``feedback.jsonl`` beside it.

    ``says``: the user's words, cut to 200 characters. Returns the path of the PNG.
    """
    folder.mkdir(parents=True, exist_ok=True)
    data = encode(image)
    path = folder / f"{hashlib.sha256(data).hexdigest()[:16]}.png"
    path.write_bytes(data)
    line = {
        "time": datetime.now(UTC).isoformat(timespec="seconds"),
        "picture": path.name,
        "read": reading.digits,
        "confidence": round(reading.confidence, 4),
        "model_version": reading.model_version,
        "says": says.strip()[:200],
    }
    with (folder / "feedback.jsonl").open("a", encoding="utf-8") as file:
        file.write(json.dumps(line, ensure_ascii=False) + "\n")
    return path
