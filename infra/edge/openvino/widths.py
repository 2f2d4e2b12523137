"""What a new width costs: ``widths.py CARDS.npz ARTIFACT`` reads all cards twice, and prints a row for each

``width`` in pixels, ``first`` and ``again`` in seconds.
"""

import json
import sys
import time
from pathlib import Path

import read as reading

from fsdl_deploy.targets import card_files


def main() -> None:
    deck, artifact = card_files.read_cards(Path(sys.argv[1])), Path(sys.argv[2])
    read = reading.open_artifact(artifact)
    rows = [{"width": image.shape[1]} for image in deck]
    for name in ("first", "again"):
        for row, image in zip(rows, deck, strict=True):
            begin = time.perf_counter()
            read(image)
            row[name] = time.perf_counter() - begin
    print(json.dumps(rows))


if __name__ == "__main__":
    main()
