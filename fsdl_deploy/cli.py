# PYTHON_ARGCOMPLETE_OK
"""``fsdl-deploy COMMAND``: each command is a module with ``add_arguments`` and ``main``.

Knows nothing of what the commands do. Only the module of the chosen command is imported, so that
``fsdl-deploy serve`` needs nothing that ``fsdl-deploy train`` does. ``fsdl-course`` is built with it too.
"""

import argparse
import contextlib
import os
import select
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import import_module, metadata

from fsdl_deploy import proxies

READER_LEFT = 141  # what a shell says of a program that SIGPIPE ended


@dataclass(frozen=True)
class Command:
    """One command: its ``module``, and what ``--help`` says of it. Or a group of commands by their names."""

    help: str
    module: str = ""
    group: Mapping[str, "Command"] = field(default_factory=dict)


COMMANDS = {
    "cards": Command("write meter cards as PNG files", "fsdl_deploy.cards"),
    "read": Command("read the digits on pictures of meter cards", "fsdl_deploy.reader"),
    "prototype": Command("show the reader in a Gradio page", "fsdl_deploy.prototype.gradio_page"),
    "inbox": Command("write a month of customers' cards into an inbox", "fsdl_deploy.batch.inbox"),
    "score": Command("read a month of cards into a database", "fsdl_deploy.batch.job"),
    "freshness": Command(
        "say whether last night's batch is there, whole, and of the right model",
        "fsdl_deploy.batch.freshness",
    ),
    "lookup": Command("serve the stored readings over HTTP", "fsdl_deploy.batch.lookup"),
    "serve": Command("serve the reader over HTTP", "fsdl_deploy.service.command"),
    "train": Command("train, export and evaluate the models again", "fsdl_deploy.training.publishing"),
    "evaluate": Command("measure the models on cards of unseen digits", "fsdl_deploy.training.evaluation"),
    "sizes": Command(
        "train students of several sizes: accuracy against multiply-adds", "fsdl_deploy.training.sizes"
    ),
    "qat": Command(
        "train the student for int8, against rounding it afterwards", "fsdl_deploy.optimization.qat"
    ),
    "prune": Command("take weights or channels out of the student", "fsdl_deploy.optimization.pruning"),
    "bench": Command(
        "measure the speed goals of the course",
        group={
            "batch": Command("the batch job against a plain loop", "fsdl_deploy.batch.bench"),
            "ladder": Command("the ladder of optimization, rung by rung", "fsdl_deploy.optimization.ladder"),
            "gpu": Command("a GPU against the cores beside it", "fsdl_deploy.optimization.gpu"),
        },
    ),
    "scaling": Command(
        "several replicas, and what happens to them",
        group={
            "rounds": Command(
                "kills, drains and updates under load, and the requests that are lost",
                "fsdl_deploy.scaling.rounds",
            ),
        },
    ),
    "rollouts": Command(
        "a new version: rolled out step by step, and taken back",
        group={
            "answers": Command("record what models read on the same cards", "fsdl_deploy.rollouts.answers"),
            "run": Command("roll a candidate out, step by step", "fsdl_deploy.rollouts.command"),
            "order": Command("pause, resume, stop a rollout, or roll back", "fsdl_deploy.rollouts.orders"),
            "rounds": Command(
                "moves of the traffic under load, and the requests that are lost",
                "fsdl_deploy.rollouts.rounds",
            ),
            "replay": Command("hundreds of rollouts from recorded answers", "fsdl_deploy.rollouts.replay"),
        },
    ),
    "monitoring": Command(
        "what shows that something is wrong, and how soon",
        group={
            "drift": Command(
                "which signal sees which drift, and with how many false alarms",
                "fsdl_deploy.monitoring.drift_table",
            ),
        },
    ),
    "delivery": Command(
        "a new version, from training to a release",
        group={
            "deliver": Command(
                "train, evaluate, sign, package, canary, promote: one command, a gate each",
                "fsdl_deploy.delivery.deliver",
            ),
        },
    ),
    "managed": Command(
        "the reader on other people's machines, and what it costs",
        group={
            "costs": Command(
                "a month of readings in each place, in dollars", "fsdl_deploy.managed.costs_command"
            ),
            "aws": Command("an endpoint on AWS: deploy, status, destroy", "fsdl_deploy.managed.aws_command"),
        },
    ),
    "edge": Command(
        "the reader on the customer's device",
        group={
            "build": Command(
                "build the reader for other runtimes, or say which files are outdated",
                "fsdl_deploy.targets.build_command",
            ),
            "budget": Command("does a model fit the device? bytes, ms, MiB", "fsdl_deploy.edge.budget"),
            "gate": Command(
                "git's hook: refuse a commit whose model breaks the budget", "fsdl_deploy.edge.gate"
            ),
            "limited": Command(
                "the smallest device that the reader starts on, by control groups", "fsdl_deploy.edge.limits"
            ),
            "compare": Command(
                "ask other runtimes and ONNX Runtime the same cards", "fsdl_deploy.targets.compare_command"
            ),
            "operators": Command("which operations each runtime knows", "fsdl_deploy.targets.operators"),
            "app": Command("serve the reader as an app in the browser", "fsdl_deploy.browser.app_command"),
            "app-rounds": Command(
                "play the app's life in a browser, over and over", "fsdl_deploy.browser.rounds"
            ),
            "key": Command("make the key that signs the app's models", "fsdl_deploy.browser.key_command"),
            "publish": Command(
                "sign a new model, which apps in the field take over", "fsdl_deploy.browser.publish_command"
            ),
        },
    ),
}
MOVED = {name: "fsdl-course" for name in ("doctor", "everywhere", "grade", "cases", "sample-class")} | {
    "bench serving": "fsdl-course"
}


def main(argv: list[str] | None = None) -> int:
    """Run one command; return its exit status: 0 good, 1 the command found a problem, 2 bad usage.

    141 where nobody reads the output any more.
    """
    return run("fsdl-deploy", "The meter reader, and every place to put it.", COMMANDS, argv, MOVED)


def run(
    program: str,
    description: str,
    commands: Mapping[str, Command],
    argv: list[str] | None = None,
    moved: Mapping[str, str] | None = None,
) -> int:
    """``main`` of a program with these commands. ``moved``: which program has an old command today."""
    words = sys.argv[1:] if argv is None else argv
    getattr(sys.stdout, "reconfigure", dict)(errors="backslashreplace")  # a terminal may lack letters
    try:
        try:
            proxies.settle()
            for name, home in (moved or {}).items():
                if words[: len(name.split())] == name.split():
                    print(f"{program}: '{name}' is '{home} {name}' now", file=sys.stderr)
                    return 2
            return _run(parser_of(program, description, commands, words), words)
        finally:
            sys.stdout.flush()  # here, where it can be caught, and not while Python ends
    except KeyboardInterrupt:  # also while modules are imported, which takes seconds
        return 130
    except BrokenPipeError:  # who read the output, such as `head`, has seen enough
        with contextlib.suppress(OSError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return READER_LEFT


def parser_of(
    program: str, description: str, commands: Mapping[str, Command], words: list[str]
) -> argparse.ArgumentParser:
    """The parser for ``words``: the command that they name has its arguments, the others only their help."""
    completion = f'Tab completes words after: eval "$(register-python-argcomplete {program})"'
    parser = argparse.ArgumentParser(prog=program, description=description, epilog=completion)
    parser.add_argument("--version", action="version", version=f"{program} {version()}")
    completed = os.environ.get("COMP_LINE", "").split()[1:]  # a shell asks what may come next
    _add(parser, commands, completed or words)
    return parser


class DefaultsHelp(argparse.HelpFormatter):
    """Every default is in the help of its option, and in one form: ``(default: X)``."""

    def _get_help_string(self, action: argparse.Action) -> str:
        text = action.help or ""
        has_value = action.option_strings and action.nargs != 0 and action.default is not None
        return f"{text} (default: %(default)s)" if has_value and "(default: " not in text else text


def _add(parser: argparse.ArgumentParser, commands: Mapping[str, Command], words: list[str]) -> None:
    """Add the commands; only the one that ``words`` choose gets its arguments."""
    adding = parser.add_subparsers(required=True, metavar="COMMAND", title="commands")
    for name, command in commands.items():
        about = command.help[0].upper() + command.help[1:] + "."
        added = adding.add_parser(name, help=command.help, description=about, formatter_class=DefaultsHelp)
        if words[:1] != [name]:
            continue
        if command.group:
            _add(added, command.group, words[1:])
        else:
            home = import_module(command.module)
            home.add_arguments(added)
            added.set_defaults(run=home.main, prog=added.prog)


def _run(parser: argparse.ArgumentParser, words: list[str]) -> int:
    with contextlib.suppress(ImportError):  # not in stations and images
        import argcomplete

        argcomplete.autocomplete(parser)
    args = parser.parse_args(words)
    try:
        return args.run(args) or 0
    except (OSError, ValueError, RuntimeError) as error:
        if isinstance(error, BrokenPipeError) and _reader_left():
            raise
        print(f"{args.prog}: {error}", file=sys.stderr)
        return 1


def version() -> str:
    """The version of the package; "unknown" where only its files were copied, as into an image."""
    try:
        return metadata.version("fsdl-deploy")
    except metadata.PackageNotFoundError:
        return "unknown"


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
