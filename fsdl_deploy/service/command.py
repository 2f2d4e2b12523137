"""The command ``fsdl-deploy serve``: its options, and the service that they describe.

Knows the command line and the environment; what the options mean is in ``app`` and ``process``.
"""

import argparse
import contextlib
import json
import os
import sys
from collections.abc import Callable, Iterator

from fsdl_deploy import weights
from fsdl_deploy.api_key import checked
from fsdl_deploy.devices import DEVICES
from fsdl_deploy.measuring.machine import whole_cores
from fsdl_deploy.reading import Reader
from fsdl_deploy.service import workers
from fsdl_deploy.service.body_limit import MAX_HELD
from fsdl_deploy.service.cross_origin import origin
from fsdl_deploy.service.model import PATIENCE
from fsdl_deploy.service.process import GRACE, announce, listen, serve
from fsdl_deploy.service.shortcuts import ShortReader

SETTINGS = ("threads", "max_pictures", "max_waiting", "max_batch", "drain", "grace", "patience")
LAST = 10.0
"""Seconds, after all others, in which a worker must end by itself."""
MOST_KEPT = 1_000_000
"""Readings that --cache may remember."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of ``fsdl-deploy serve``."""
    parser.add_argument("--version", default="v2", help="model version")
    parser.add_argument("--device", choices=DEVICES, default="cpu", help="where the model computes")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
    parser.add_argument("--port", type=int, default=8000, help="0 picks a free one")
    parser.add_argument(
        "--workers",
        type=int,
        default=1,
        metavar="N",
        help="processes on the port, 100 MB each: one that dies is started again, /metrics is their sum. "
        "Each has a model, a cache and a queue of its own; cores, and bytes of requests, are shared out",
    )
    parser.add_argument(
        "--threads",
        type=int,
        help="readings at the same time, of each worker (default: one a core of its own)",
    )
    parser.add_argument(
        "--max-waiting", type=int, default=64, help="requests that may wait at a worker; more get a 429"
    )
    parser.add_argument("--max-batch", type=int, default=1, help="requests that are read together")
    parser.add_argument(
        "--patience", type=float, default=PATIENCE, help="longest wait in seconds; then a 503"
    )
    parser.add_argument("--delay-ms", type=float, default=0.0, help="longest wait for a batch to fill")
    parser.add_argument(
        "--cascade",
        metavar="VERSION",
        nargs="?",
        const="teacher",
        help="read again with this model where the first is not sure (without VERSION: the teacher)",
    )
    parser.add_argument(
        "--cache",
        type=int,
        default=0,
        metavar="N",
        help="remember the last N readings, at most for a day; each worker its own",
    )
    parser.add_argument("--access-log", action="store_true", help="write a line of JSON for each request")
    parser.add_argument(
        "--answer-log", metavar="FILE", help="append a line of JSON with what was read for each request"
    )
    parser.add_argument("--drain", type=float, default=0.0, help="go on for so many seconds after SIGTERM")
    parser.add_argument(
        "--grace", type=float, default=GRACE, help="then finish what waits for so many seconds"
    )
    parser.add_argument("--max-pictures", type=int, default=64, help="in one request")
    parser.add_argument(
        "--allow-origin",
        metavar="ORIGIN",
        action="append",
        default=[],
        help="pages of this origin may ask from a browser, such as http://127.0.0.1:8080; again for another",
    )


def main(args: argparse.Namespace) -> int:
    """Serve until SIGTERM or Ctrl-C. Raises ValueError for an option that cannot be."""
    _check(args)
    workers.checked(args.workers)
    try:  # before the port is open: who waits for the line "serving" must not see it for a slip
        for version in filter(None, (args.version, args.cascade)):
            weights.verified(f"{version}.onnx")
    except weights.WeightsError as error:
        raise RuntimeError(f"the model did not load: {error}") from None
    with settings(args) as chosen:
        if args.workers == 1:
            return serve(loader(args), args.host, args.port, **chosen)
    listener = listen(args.host, args.port)
    announce(listener)
    options = {name: value for name, value in vars(args).items() if name not in ("run", "prog")}
    words = sys.executable, "-m", "fsdl_deploy.service.worker", json.dumps(options)
    return workers.serve(words, listener, args.workers, args.drain + args.grace + LAST)


def loader(args: argparse.Namespace) -> Callable[[], Reader]:
    """What loads the reader that the options describe."""

    def load() -> Reader:
        from fsdl_deploy.reader import OnnxReader

        reader = OnnxReader(args.version, device=args.device)
        if not (args.cascade or args.cache):
            return reader
        second = OnnxReader(args.cascade, device=args.device) if args.cascade else None
        return ShortReader(reader, second, args.cache)

    return load


@contextlib.contextmanager
def settings(args: argparse.Namespace) -> Iterator[dict]:
    """The settings of ``serve`` that the options describe; a log's file is open meanwhile.

    Of several workers each has its share of the cores, and of the bytes of bodies in memory.
    """
    chosen = {name: getattr(args, name) for name in SETTINGS}
    chosen["delay"] = args.delay_ms / 1000
    chosen["cores"] = max(1, whole_cores() // args.workers)
    chosen["max_held"] = MAX_HELD // args.workers
    chosen["api_key"] = checked(os.environ.get("FSDL_API_KEY"), "FSDL_API_KEY")
    chosen["allow_origins"] = [origin(text) for text in args.allow_origin]
    chosen["access_log"] = sys.stdout if args.access_log else None
    if not args.answer_log:
        yield chosen
        return
    with open(args.answer_log, "a", encoding="utf-8") as answer_log:  # of several workers each adds lines
        yield chosen | {"answer_log": answer_log}


def _check(args: argparse.Namespace) -> None:
    if args.max_waiting < 0:
        raise ValueError("--max-waiting must be at least 0")
    if not 0 <= args.cache <= MOST_KEPT:
        raise ValueError(f"--cache must be 0 to {MOST_KEPT}: a reading takes about a kilobyte")
    if not 0 <= args.delay_ms <= 10_000:
        raise ValueError("--delay-ms must be 0 to 10000 milliseconds")
    for name in ("threads", "max_pictures", "max_batch"):
        if getattr(args, name) is not None and getattr(args, name) < 1:
            raise ValueError(f"--{name.replace('_', '-')} must be at least 1")
    if not 0 < args.patience <= 3600:
        raise ValueError("--patience must be above 0, up to 3600 seconds")
    for name in ("drain", "grace"):
        if not 0 <= getattr(args, name) <= 3600:
            raise ValueError(f"--{name} must be 0 to 3600 seconds")
