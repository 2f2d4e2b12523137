"""The command ``fsdl-deploy serve``: its options, and the service that they describe.

Knows the command line and the environment; what the options mean is in ``app`` and ``process``.
"""

import argparse
import os
import sys

from fsdl_deploy import weights
from fsdl_deploy.api_key import checked
from fsdl_deploy.devices import DEVICES
from fsdl_deploy.reading import Reader
from fsdl_deploy.service.cross_origin import origin
from fsdl_deploy.service.model import PATIENCE
from fsdl_deploy.service.process import GRACE, serve
from fsdl_deploy.service.shortcuts import ShortReader

SETTINGS = ("threads", "max_pictures", "max_waiting", "max_batch", "drain", "grace", "patience")
MOST_KEPT = 1_000_000
"""Readings that --cache may remember."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of ``fsdl-deploy serve``."""
    parser.add_argument("--version", default="v2", help="model version")
    parser.add_argument("--device", choices=DEVICES, default="cpu", help="where the model computes")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
    parser.add_argument("--port", type=int, default=8000, help="0 picks a free one")
    parser.add_argument("--threads", type=int, help="readings at the same time (default: one a core)")
    parser.add_argument("--max-waiting", type=int, default=64, help="requests that may wait; more get a 429")
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
        "--cache", type=int, default=0, metavar="N", help="remember the last N readings, at most for a day"
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

    def load() -> Reader:
        from fsdl_deploy.reader import OnnxReader

        reader = OnnxReader(args.version, device=args.device)
        if not (args.cascade or args.cache):
            return reader
        second = OnnxReader(args.cascade, device=args.device) if args.cascade else None
        return ShortReader(reader, second, args.cache)

    try:  # before the port is open: who waits for the line "serving" must not see it for a slip
        for version in filter(None, (args.version, args.cascade)):
            weights.verified(f"{version}.onnx")
    except weights.WeightsError as error:
        raise RuntimeError(f"the model did not load: {error}") from None
    settings = {name: getattr(args, name) for name in SETTINGS}
    settings["delay"] = args.delay_ms / 1000
    settings["api_key"] = checked(os.environ.get("FSDL_API_KEY"), "FSDL_API_KEY")
    settings["allow_origins"] = [origin(text) for text in args.allow_origin]
    settings["access_log"] = sys.stdout if args.access_log else None
    if not args.answer_log:
        return serve(load, args.host, args.port, **settings)
    with open(args.answer_log, "a", encoding="utf-8") as answer_log:
        return serve(load, args.host, args.port, answer_log=answer_log, **settings)


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
