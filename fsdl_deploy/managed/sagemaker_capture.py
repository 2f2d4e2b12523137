"""Data capture: what an endpoint was asked and answered, as lines of JSON in SageMaker's own format

AWS writes them into S3, a folder for each endpoint and variant; here it is a folder of this machine. An
``InferenceId`` of the caller's joins what two variants answered to the same request.
"""

import base64
import json
import uuid
from datetime import UTC, datetime
from pathlib import Path

NAME = "capture.jsonl"


class Capture:
    """Appends to ``FOLDER/ENDPOINT/VARIANT/capture.jsonl``."""

    def __init__(self, folder: Path):
        self.folder = folder

    def note(self, endpoint: str, variant: str, body: bytes, answer: str, inference: str) -> None:
        """One line. Pictures are no text, so they are written in base64."""
        event = {"eventId": str(uuid.uuid4()), "inferenceTime": datetime.now(UTC).isoformat()}
        line = {
            "captureData": {
                "endpointInput": {
                    "mode": "INPUT",
                    "encoding": "BASE64",
                    "data": base64.b64encode(body).decode(),
                },
                "endpointOutput": {"mode": "OUTPUT", "encoding": "JSON", "data": answer},
            },
            "eventMetadata": event | ({"inferenceId": inference} if inference else {}),
            "eventVersion": "0",
        }
        file = self.folder / endpoint / variant / NAME
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("a", encoding="utf-8") as lines:
            lines.write(json.dumps(line) + "\n")


def answers(folder: Path, endpoint: str, variant: str) -> dict[str, str]:
    """What a variant answered, by the caller's ``InferenceId``; empty where nothing was captured."""
    file = folder / endpoint / variant / NAME
    if not file.is_file():
        return {}
    lines = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    return {
        line["eventMetadata"]["inferenceId"]: line["captureData"]["endpointOutput"]["data"]
        for line in lines
        if "inferenceId" in line["eventMetadata"]
    }
