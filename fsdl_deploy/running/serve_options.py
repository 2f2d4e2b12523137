"""What the ``serve.py`` of each serving library takes on its command line: all are started in one way."""

import argparse


def options(description: str, several: bool = False) -> argparse.Namespace:
    """What every ``serve.py`` takes: ``port``, ``max_batch``, ``delay_ms``; ``readers`` with ``several``."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--max-batch", type=int, default=16, help="pictures in a batch (default: 16)")
    parser.add_argument("--delay-ms", type=float, default=2.0, help="longest wait for a batch (default: 2)")
    if several:
        parser.add_argument("--readers", type=int, default=1, help="at the same time (default: 1)")
    return parser.parse_args()
