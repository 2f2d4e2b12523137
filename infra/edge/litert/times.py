"""Where the time of a card goes: ``times.py CARDS.npz ROUNDS ARTIFACT ...`` prints JSON

Medians over the cards of the shortest time of each, in seconds: ``ink`` and ``decode`` are NumPy's part, and
each file has what its network takes. The files read in turns.
"""

import json
import sys
from pathlib import Path

import numpy as np
import read as reading
from ai_edge_litert.interpreter import Interpreter

from fsdl_deploy.targets import card_files, plain, reading_program


def main() -> None:
    deck, count = card_files.read_cards(Path(sys.argv[1])), int(sys.argv[2])
    steps = {Path(name).name: network(Path(name)) for name in sys.argv[3:]}
    inks = [plain.ink(image) for image in deck]
    answers = [(next(iter(steps.values()))(ink), length) for ink, length in inks]
    shortest = reading_program.in_turns(
        {name: lambda both, run=run: (run(both[0]), 0.0) for name, run in steps.items()}, inks, count
    )
    around = {
        "ink": reading_program.rounds(plain.ink, deck, count)[1],
        "decode": reading_program.rounds(lambda both: plain.decode(*both), answers, count)[1],
    }
    print(json.dumps({name: float(np.median(seconds)) for name, seconds in (around | shortest).items()}))


def network(file: Path):
    """A function from ink of any width to log-probabilities ``[T, 11]``, through the file's buckets."""
    interpreter = Interpreter(str(file), num_threads=1)
    names = interpreter.get_signature_list()
    runners = {int(name.removeprefix("columns")): interpreter.get_signature_runner(name) for name in names}

    def run(ink: np.ndarray) -> np.ndarray:
        room = plain.bucket(ink.shape[3], sorted(runners))
        ink = np.pad(ink, ((0, 0), (0, 0), (0, 0), (0, room - ink.shape[3])))
        return reading.log_probabilities(runners[room], ink)[0]

    return run


if __name__ == "__main__":
    main()
