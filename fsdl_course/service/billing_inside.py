"""Billing with the model inside: `billing_inside.py student|teacher CARD LAST` reads the card itself"""

import sys
from pathlib import Path

from fsdl_deploy import OnnxReader, TorchReader
from fsdl_deploy.picture import decode


def units_used(model: str, card: str, last_reading: int) -> int:
    """The reading of the picture in the file ``card``, less the last one; an unread card counts as 0."""
    reader = OnnxReader("v2") if model == "student" else TorchReader("teacher")
    reading = reader.read([decode(Path(card).read_bytes())])[0]
    return int(reading.digits or 0) - last_reading


if __name__ == "__main__":
    print(units_used(sys.argv[1], sys.argv[2], int(sys.argv[3])), "units used", flush=True)
    sys.stdin.read()  # so that its memory can be measured before it ends
