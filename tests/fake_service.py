"""The real service around a reader without weights: ``python tests/fake_service.py --port N``.

The fake reads a picture's width, so a test knows the answer, and does on demand what a sick model
does: a picture of 666 pixels crashes it, 667 makes it refuse, 668 takes a second, 669 ends the process, and
665 takes until the file of ``--gate`` is there.
"""

import argparse
import os
import sys
import time
from pathlib import Path

from fsdl_deploy.picture import PictureError
from fsdl_deploy.reading import Reading
from fsdl_deploy.running.servers import Server
from fsdl_deploy.service import worker, workers
from fsdl_deploy.service.process import announce, listen, serve


class WidthReader:
    def __init__(self, version: str = "fake", gate: Path | None = None):
        self.model_version, self.gate = version, gate

    def read(self, images):
        readings = []
        for image in images:
            digits = str(image.shape[1])
            while digits == "665" and self.gate and not self.gate.exists():
                time.sleep(0.02)
            if digits == "666":
                raise ZeroDivisionError("secret detail of the model")
            if digits == "667":
                raise PictureError("the picture is not a meter card")
            if digits == "668":
                time.sleep(1)
            if digits == "669":
                os._exit(9)
            readings.append(Reading(digits, 0.9, (0.9,) * len(digits), self.model_version))
        return readings


def fake_server(*options: str | Path, ready: str = "/readyz", **settings) -> Server:
    """This program, not yet started; ``options`` are words of its command line."""
    return Server([sys.executable, __file__, "--port", "{port}", *options], ready, **settings)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--version", default="fake")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--max-waiting", type=int, default=64)
    parser.add_argument("--max-pictures", type=int, default=64)
    parser.add_argument("--body-seconds", type=float, default=30)
    parser.add_argument("--max-bytes", type=int, default=12 * 2**20)
    parser.add_argument("--max-held", type=int, default=192 * 2**20)
    parser.add_argument("--api-key")
    parser.add_argument("--allow-origins", action="append", default=[])
    parser.add_argument("--drain", type=float, default=0)
    parser.add_argument("--patience", type=float, default=20)
    parser.add_argument("--grace", type=float, default=30)
    parser.add_argument("--load-when", type=Path, help="the model loads when this file exists")
    parser.add_argument("--h11", action="store_true", help="as in an environment without httptools")
    parser.add_argument("--gate", type=Path, help="a picture of 665 pixels is read when this file exists")
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--as-worker", type=int, nargs=2, help="of several: the master adds this")
    parser.add_argument("--die-when", type=Path, help="a worker that starts when this file exists dies")
    args = parser.parse_args()
    if args.workers > 1 and not args.as_worker:
        listener = listen("127.0.0.1", args.port)
        announce(listener)
        words = [sys.executable, __file__, *sys.argv[1:], "--as-worker"]
        sys.exit(workers.serve(words, listener, args.workers, args.drain + args.grace + 5))
    if args.die_when and args.die_when.exists():
        sys.exit(7)
    if args.h11:
        sys.modules["fsdl_deploy.service.header_limit"] = None  # it cannot be imported

    def load():
        while args.load_when and not args.load_when.exists():
            time.sleep(0.02)
        return WidthReader(args.version, args.gate)

    names = "threads max_waiting max_pictures body_seconds max_bytes max_held patience drain grace api_key"
    names += " allow_origins"
    settings = {name: getattr(args, name) for name in names.split()}
    if args.as_worker:
        sys.exit(worker.serve(load, *args.as_worker, access_log=sys.stdout, **settings))
    sys.exit(serve(load, "127.0.0.1", args.port, access_log=sys.stdout, **settings))
