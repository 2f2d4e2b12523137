"""``fsdl-deploy COMMAND``: every command is a module with ``add_arguments(parser)`` and ``main(args)``.

Knows nothing of what the commands do. Only the module of the chosen command is imported, so
``fsdl-deploy doctor`` works in an environment where torch is broken.
"""

import argparse
import contextlib
import os
import select
import sys
from importlib import import_module

COMMANDS = {
    "doctor": ("doctor", "check this machine and say what to do about each problem"),
    "cards": ("cards", "write meter cards as PNG files"),
    "read": ("reader", "read the digits on pictures of meter cards"),
    "train": ("training", "train, export and evaluate the models again"),
    "sizes": ("sizes", "train students of several sizes: how much accuracy is in how many multiply-adds"),
    "qat": ("qat", "quantization-aware training of the student, against rounding it afterwards"),
    "evaluate": ("evaluation", "measure the models on cards of unseen digits"),
    "inbox": ("inbox", "write a month of customers' cards, as a batch job finds them"),
    "score": ("batch", "read a month of cards into a database"),
    "freshness": ("freshness", "say whether last night's batch is there, whole, and of the right model"),
    "everywhere": ("everywhere", "compare the answers of every server of the course, bit for bit"),
    "bench": ("bench", "measure the speed goals of the course"),
    "lookup": ("lookup", "serve the stored readings over HTTP"),
    "grade": ("grading.grade", "grade the notebooks that students handed in"),
    "sample-class": ("grading.sample", "write made-up hand-ins of a lab, to try the grading with"),
    "cases": ("grading.draw", "draw private cases for grading labs"),
    "serve": ("service", "serve the reader over HTTP"),
    "prototype": ("prototype", "show the reader in a Gradio page"),
}
READER_LEFT = 141  # what a shell says of a program that SIGPIPE ended


def main(argv: list[str] | None = None) -> int:
    """Run one command; return its exit status: 0 good, 1 the command found a problem, 2 bad usage.

    141 where nobody reads the output any more.
    """
    try:
        try:
            return _run(sys.argv[1:] if argv is None else argv)
        finally:
            sys.stdout.flush()  # here, where it can be caught, and not while Python ends
    except BrokenPipeError:  # who read the output, such as `head`, has seen enough
        with contextlib.suppress(OSError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return READER_LEFT


def _run(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="fsdl-deploy", description="The course's commands.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    chosen = argv[0] if argv and argv[0] in COMMANDS else None
    for name, (module, help_text) in COMMANDS.items():
        command = commands.add_parser(name, help=help_text, description=help_text.capitalize() + ".")
        if name == chosen:
            home = import_module(f"fsdl_deploy.{module}")
            home.add_arguments(command)
            command.set_defaults(run=home.main)
    args = parser.parse_args(argv)
    try:
        return args.run(args) or 0
    except KeyboardInterrupt:
        return 130
    except (OSError, ValueError, RuntimeError) as error:
        if isinstance(error, BrokenPipeError) and _reader_left():
            raise
        print(f"fsdl-deploy {args.command}: {error}", file=sys.stderr)
        return 1


def _reader_left() -> bool:
    """Whether it was our output's pipe that broke, and not one to a server or a database."""
    try:
        pipe = select.poll()
        pipe.register(sys.stdout, 0)  # that nobody reads is reported unasked
        return bool(pipe.poll(0))
    except (AttributeError, OSError, ValueError):  # no such call on Windows; no file in a notebook
        return False


if __name__ == "__main__":
    sys.exit(main())
