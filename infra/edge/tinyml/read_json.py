"""What a file reads, without its confidence: ``read_json.py CARDS.npz FILE.tflite`` prints JSON."""

import json
import sys
from pathlib import Path

import read

from fsdl_deploy.targets import card_files

if __name__ == "__main__":
    reader = read.open_artifact(Path(sys.argv[2]))
    print(json.dumps({"readings": [reader(image)[0] for image in card_files.read_cards(Path(sys.argv[1]))]}))
