"""Read a folder of cards: one file for two environments, written when NumPy 1 was the only one.

    python read_cards.py FOLDER VERSION [--shrink FILTER] [--whiten] [--save FOLDER]

Prints JSON: the versions of what it runs on, and for each picture in the order of the names its reading,
its confidence, and a sum of its decoded pixels. --shrink halves each picture, with one of Pillow's filters;
--whiten makes its paper white; --save writes what the model was given. FSDL_MODELS names another folder of
models.
"""

import argparse
import hashlib
import json
import platform
import sys
from pathlib import Path

import numpy as np
import onnxruntime
import PIL
import PIL.Image

from fsdl_deploy.picture import Image, decode, encode
from fsdl_deploy.reader import OnnxReader


def whiten(image: Image) -> Image:
    """The picture uint8 ``[H, W]`` with its paper made white: what is nearer to paper than to ink."""
    grey = np.sort(image, axis=None)
    ink, paper = grey[len(grey) // 50], grey[len(grey) // 2]
    cut = (ink + 2 * paper) // 3
    return np.where(image > cut, 255, image).astype(np.uint8)


def shrink(image: Image, name: str) -> Image:
    """The picture at half its size, with Pillow's filter ``name``."""
    size = image.shape[1] // 2, image.shape[0] // 2
    return np.asarray(PIL.Image.fromarray(image).resize(size, PIL.Image.Resampling[name.upper()]))


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("version")
    parser.add_argument("--shrink", choices=["nearest", "bilinear", "bicubic"])
    parser.add_argument("--whiten", action="store_true")
    parser.add_argument("--save", type=Path)
    args = parser.parse_args()
    paths = sorted(args.folder.glob("*.jpg"))
    if not paths:
        sys.exit(f"there are no .jpg files in {args.folder}")
    reader = OnnxReader(args.version)
    decoded = [decode(path.read_bytes()) for path in paths]
    images = [shrink(image, args.shrink) for image in decoded] if args.shrink else decoded
    images = [whiten(image) for image in images] if args.whiten else images
    for path, image in zip(paths, images, strict=True) if args.save else ():
        (args.save / f"{path.stem}.png").write_bytes(encode(image))
    readings = reader.read(images)
    answer = {
        "versions": {
            "Python": platform.python_version(),
            "NumPy": np.__version__,
            "ONNX Runtime": onnxruntime.__version__,
            "Pillow": PIL.__version__,
        },
        "digits": [reading.digits for reading in readings],
        "confidence": [reading.confidence for reading in readings],
        "pixels": [hashlib.sha256(image.tobytes()).hexdigest() for image in decoded],
    }
    print(json.dumps(answer))


if __name__ == "__main__":
    main()
