"""``fsdl-deploy train``: draw the cards, train teacher and students, export and evaluate them.

Each stage leaves its result under ``build/training`` and is skipped when it is there, and a stage
that was killed goes on from its last checkpoint, so the same command always finishes the job.
"""

import json
import math
import os
import shutil
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from tqdm.auto import tqdm

from fsdl_deploy import weights
from fsdl_deploy.cards import cards
from fsdl_deploy.digits import digits
from fsdl_deploy.models import Student, Teacher, even
from fsdl_deploy.packaging.export import export
from fsdl_deploy.paths import BUILD
from fsdl_deploy.reader import OnnxReader
from fsdl_deploy.training.evaluation import RESAMPLES, evaluate, table, why
from fsdl_deploy.training.model_card import write_cards
from fsdl_deploy.training.pool import Pool

BATCH = 32
CHECKPOINT_STEPS = 50
CURVE_STEPS = 200


@dataclass(frozen=True)
class Phase:
    """So many ``steps`` from the learning rate ``peak`` down to nothing, on cards varied by ``strength``.

    ``mixed``: half of the cards are mixtures of two, which only the teacher can answer: a student that
    follows it there as well learns more of it than the cards hold (Beyer et al. 2021).
    """

    steps: int
    peak: float
    strength: float = 1.0
    mixed: bool = False


@dataclass(frozen=True)
class Recipe:
    """How one network is trained. ``taught`` adds distillation from the finished teacher.

    Later phases vary the cards less, so that training ends near the cards that will be read.
    """

    network: type[nn.Module]
    phases: tuple[Phase, ...]
    seed: int
    taught: bool = False
    average: float = 0.995  # weight of the past in the running average of the weights

    @property
    def steps(self) -> int:
        return sum(phase.steps for phase in self.phases)


RECIPES = {
    "teacher": Recipe(Teacher, (Phase(700, 1.5e-3), Phase(2000, 1.2e-3, 0.35)), seed=1),
    "v1": Recipe(Student, (Phase(700, 4e-3),), seed=2),
    "v2": Recipe(Student, (Phase(700, 4e-3), Phase(3500, 3e-3, 0.5, mixed=True)), seed=3, taught=True),
}
# What the published models were made with: twice the time for a few cards more in a thousand.
LONG = RECIPES | {
    "teacher": Recipe(Teacher, (Phase(2400, 1.5e-3), Phase(600, 3.75e-4, 0.35), Phase(2400, 1e-3, 0.35)), 1),
    "v2": Recipe(
        Student,
        (Phase(2200, 4e-3), Phase(7000, 3e-3, 0.35), Phase(3000, 2e-3, 0.5, mixed=True)),
        seed=3,
        taught=True,
    ),
}
QUICK = {"v2": Recipe(Student, (Phase(300, 6e-3, 0.35),), seed=4, average=0.95)}
POOL, QUICK_POOL = 20_000, 1_200


def schedule(step: int, recipe: Recipe) -> tuple[float, Phase, int]:
    """Learning rate, phase, and the most digits on a card at ``step``.

    The first phase warms up over a tenth of its steps; each falls along a cosine (Loshchilov and
    Hutter 2017). Short lines come first: CTC finds the digits sooner.
    """
    start = 0
    for phase in recipe.phases:
        if step < start + phase.steps:
            break
        start += phase.steps
    step, warm = step - start, 0 if start else phase.steps // 10
    longest = 3 if not start and step < phase.steps // 12 else 9
    if step < warm:
        rate = phase.peak * (step + 1) / warm
    else:
        rate = phase.peak * 0.5 * (1 + math.cos(math.pi * (step - warm) / (phase.steps - warm)))
    return rate, phase, longest


def train(name: str, recipe: Recipe, pool: Pool, folder: Path, teacher: nn.Module | None = None) -> nn.Module:
    """Train one network, or go on with it; return the average of its weights over the last steps.

    The loss is CTC; a taught student also follows the teacher's probabilities at every time step
    (Hinton et al. 2015). ``folder`` keeps the checkpoint and the curve (``NAME.jsonl``).
    """
    torch.manual_seed(recipe.seed)
    network = recipe.network().to(memory_format=torch.channels_last)
    average = AveragedModel(network, multi_avg_fn=get_ema_multi_avg_fn(recipe.average), use_buffers=True)
    optimizer = torch.optim.AdamW(network.parameters(), weight_decay=0.05)
    file, first, spent = folder / f"{name}.pt", 0, 0.0
    if file.exists():
        saved = torch.load(file, weights_only=True)
        if saved["steps"] != recipe.steps:
            raise ValueError(f"{file} is from another recipe: delete it, or the folder, and train again")
        network.load_state_dict(saved["network"])
        average.load_state_dict(saved["average"])
        optimizer.load_state_dict(saved["optimizer"])
        first, spent = saved["step"], saved["spent"]
    if first < recipe.steps:
        network.train()
        started = time.monotonic()
        progress = tqdm(range(first, recipe.steps), f"train {name}", recipe.steps, initial=first, unit="step")
        for step in progress:
            torch.manual_seed(recipe.seed * 1_000_003 + step)
            loss = train_step(network, optimizer, recipe, pool, step, teacher)
            average.update_parameters(network)
            done = step + 1
            if done % CURVE_STEPS == 0 or done == recipe.steps:
                row = {
                    "step": done,
                    "loss": round(loss, 4),
                    "seconds": round(spent + time.monotonic() - started),
                }
                progress.set_postfix(row)
                with open(folder / f"{name}.jsonl", "a") as curve:
                    curve.write(json.dumps(row) + "\n")
            if done % CHECKPOINT_STEPS == 0 or done == recipe.steps:
                state = {
                    "steps": recipe.steps, "step": done, "spent": spent + time.monotonic() - started,
                    "network": network.state_dict(), "average": average.state_dict(),
                    "optimizer": optimizer.state_dict(),
                }  # fmt: skip
                torch.save(state, file.with_suffix(".part"))
                file.with_suffix(".part").replace(file)  # never half a checkpoint
    trained = average.module.eval()
    for parameter in trained.parameters():
        parameter.requires_grad_(False)
    return trained


def train_step(network, optimizer, recipe: Recipe, pool: Pool, step: int, teacher) -> float:
    rate, phase, longest = schedule(step, recipe)
    for group in optimizer.param_groups:
        group["lr"] = rate
    ink, widths, truths = pool.batch(step, BATCH, recipe.seed, longest, phase.strength)
    plain = torch.ones(BATCH)
    if phase.mixed:
        plain = (torch.rand(BATCH) < 0.5).float()
        share = (1 - plain) * torch.rand(BATCH) / 2
        ink = torch.lerp(ink, ink.flip(0), share[:, None, None, None])
    ink = ink.to(memory_format=torch.channels_last)
    said, lengths = network(ink, widths)
    target = torch.tensor(np.array([int(c) for c in "".join(truths)]) + 1)
    target_lengths = torch.tensor([len(t) for t in truths])
    ctc = F.ctc_loss(
        said.transpose(0, 1), target, lengths, target_lengths, reduction="none", zero_infinity=True
    )
    loss = ctc = (ctc / target_lengths * plain).sum() / plain.sum().clamp(min=1)
    if recipe.taught:
        with torch.inference_mode():
            taught, _ = teacher(ink, widths)
        inside = torch.arange(said.shape[1])[None] < lengths[:, None]
        apart = F.kl_div(said, taught.clone(), reduction="none", log_target=True).sum(2)
        loss = ctc * 0.3 + 2.0 * (apart * inside).sum() / inside.sum() * said.shape[1] / 10
    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    nn.utils.clip_grad_norm_(network.parameters(), 1.0)
    optimizer.step()
    return ctc.item()


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
    export(even(weights.load("v2", staging)), weights.EVEN, staging / f"{weights.EVEN}.onnx")
    weights.write_sums(staging)
    names = [f"{version}{end}" for version in networks for end in (".safetensors", ".onnx")]
    for name in [*names, f"{weights.EVEN}.onnx", weights.SUMS]:
        (staging / name).replace(into / name)


def rebuild(work: Path, into: Path, recipes: dict[str, Recipe], cards_drawn: int) -> None:
    """Train and publish everything; whatever ``work`` already holds is not done again."""
    work.mkdir(parents=True, exist_ok=True)
    pool = Pool.drawn(cards_drawn, work)
    networks = {}
    for name, recipe in recipes.items():
        networks[name] = train(name, recipe, pool, work, networks.get("teacher"))
    if "teacher" in networks:
        networks["v3-bad"] = networks["v2"]
    publish(networks, clean_constants(), work / "staging", into)


def add_arguments(parser) -> None:
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--quick", action="store_true", help="one student, much worse, in a minute")
    how.add_argument("--long", action="store_true", help="as the published models were: twice the time")
    parser.add_argument(
        "--into", help="folder for the models (default models/, with --quick build/quick/models)"
    )
    parser.add_argument(
        "--fresh", action="store_true", help="forget what an earlier run left and start again"
    )


def main(args) -> int:
    work = BUILD / ("quick" if args.quick else "long" if args.long else "training")
    if args.fresh:
        shutil.rmtree(work, ignore_errors=True)
    into = Path(args.into) if args.into else work / "models" if args.quick else weights.folder()
    started = time.monotonic()
    recipes = QUICK if args.quick else LONG if args.long else RECIPES
    rebuild(work, into, recipes, QUICK_POOL if args.quick else POOL)
    print(f"models in {into} after {time.monotonic() - started:.0f} s")
    os.environ["FSDL_MODELS"] = str(into)
    versions = ["v2"] if args.quick else list(weights.VERSIONS)
    report = evaluate(
        [OnnxReader(version, threads=2) for version in versions],
        count=100 if args.quick else 2000,
        resamples=0 if args.quick else RESAMPLES,
    )
    if not args.quick:
        report["why"] = {v: why(OnnxReader(v, threads=2), digits("test")) for v in ("teacher", "v2")}
        write_cards(report, work, into, "fsdl-deploy train" + " --long" * args.long)
    print(table(report))
    return 0
