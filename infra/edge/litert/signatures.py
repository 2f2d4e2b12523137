"""What a program on the device sees of the files: ``signatures.py ARTIFACT ...`` prints JSON

``signatures``: of each file's inputs, the shape and type. ``resized``: what LiteRT says where a program asks
for another width of the first file's first signature. ``int64``: what it says of a whole number in 64 bits.
"""

import json
import sys
from pathlib import Path

import numpy as np
from ai_edge_litert.interpreter import Interpreter


def main() -> None:
    files = [Path(name) for name in sys.argv[1:]]
    rows = [row for file in files for row in inputs(file)]
    answer = {"signatures": rows, "resized": resized(files[0]), "int64": in_64_bits(files[-1])}
    print(json.dumps(answer))


def inputs(file: Path) -> list[dict]:
    interpreter = Interpreter(str(file), num_threads=1)
    return [
        {"file": file.name, "signature": name, "input": key, "shape": details["shape"].tolist()}
        | {"type": np.dtype(details["dtype"]).name}
        for name in interpreter.get_signature_list()
        for key, details in interpreter.get_signature_runner(name).get_input_details().items()
    ]


def resized(file: Path) -> str:
    """The first line of the error where another width is asked for; "" where that works."""
    interpreter = Interpreter(str(file), num_threads=1)
    details = interpreter.get_input_details()[0]
    shape = details["shape"].tolist()
    try:
        interpreter.resize_tensor_input(details["index"], [*shape[:3], shape[3] + 20])
        interpreter.allocate_tensors()
        interpreter.invoke()
    except (RuntimeError, ValueError) as error:
        return str(error).splitlines()[0]
    return ""


def in_64_bits(file: Path) -> str:
    """The error where the whole reader is given a card's width as int64, as in torch; "" where that works."""
    runner = Interpreter(str(file), num_threads=1).get_signature_runner()
    picture = np.zeros(runner.get_input_details()["args_0"]["shape"], np.uint8)
    try:
        runner(args_0=picture, args_1=np.array([picture.shape[2]], np.int64))
    except ValueError as error:
        return str(error).splitlines()[0]
    return ""


if __name__ == "__main__":
    main()
