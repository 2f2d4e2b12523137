"""``fsdl-deploy rollouts order FOLDER pause``: what a human wants comes before any test

The orders are in ``controller.ORDERS``. The controller obeys within a tick. Where none runs,
"rollback" is carried out by this command itself, and the others are refused.
"""

import argparse
from pathlib import Path

from fsdl_deploy.rollouts import state as on_disk
from fsdl_deploy.rollouts.canary import CanaryHandle
from fsdl_deploy.rollouts.controller import ORDERS, alone, order, running
from fsdl_deploy.rollouts.state import ROLLED_BACK, RolloutState, StateError


def rollback_now(folder: Path, canary: Path) -> RolloutState:
    """Send everybody to the stable version, and say so in the state; a damaged one begins anew."""
    with alone(folder):
        CanaryHandle.load(canary).move(share=0.0, shadow=0.0)
        try:
            state = on_disk.load(folder) or RolloutState()
        except StateError:
            state = RolloutState(why="the state before was damaged")
        state = state.changed("rolled back by order", status=ROLLED_BACK, share=0.0, shadow=0.0)
        on_disk.save(folder, state)
    return state


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="the folder of the rollout")
    parser.add_argument(
        "order",
        choices=(*ORDERS, "status"),
        metavar="ORDER",
        help="pause, resume, rollback, stop; or status, which says how it stands",
    )
    parser.add_argument(
        "--canary",
        type=Path,
        metavar="FOLDER",
        help="the proxy's folder, for a rollback without a controller",
    )


def main(arguments: argparse.Namespace) -> int:
    folder, word = arguments.folder, arguments.order
    if word == "status":
        state = on_disk.load(folder)
        if state is None:
            raise ValueError(f"no rollout has begun in {folder}")
        print(f"{state.status}, {100 * state.share:g} % of the traffic: {state.why}")
        return 0
    if running(folder):
        order(folder, word)
        print(f"{word}: left for the controller")
        return 0
    if word != "rollback":
        raise ValueError(f"no controller runs in {folder}: nobody would obey")
    if arguments.canary is None:
        raise ValueError("no controller runs here: say with --canary FOLDER which proxy to move")
    print(rollback_now(folder, arguments.canary).why)
    return 0
