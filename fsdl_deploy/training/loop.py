"""The training loop: one network by its recipe; killed at any step, it goes on from its last checkpoint."""

import io
import json
import pickle
import time
import zipfile
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from tqdm.auto import tqdm

from fsdl_deploy import files
from fsdl_deploy.models import Teacher
from fsdl_deploy.running import locks
from fsdl_deploy.training.distillation import distillation_loss
from fsdl_deploy.training.recipes import Recipe, schedule
from fsdl_deploy.training.training_cards import Pool

BATCH = 32
CHECKPOINT_STEPS = 50
CURVE_STEPS = 200


def alone_in(folder: Path) -> AbstractContextManager:
    """Nobody else trains in ``folder`` meanwhile. Raises RuntimeError where somebody does.

    The lock is a file beside ``folder``.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    refusal = RuntimeError(f"another training is at work in {folder}: wait until it has ended")
    return locks.alone(folder.with_name(f"{folder.name}.lock"), refusal)


def train(name: str, recipe: Recipe, pool: Pool, folder: Path, teacher: nn.Module | None = None) -> nn.Module:
    """Train one network, or go on with it; return the average of its weights over the last steps.

    The loss is CTC, for a taught student that of ``distillation``. ``folder`` keeps the checkpoint and the
    curve (``NAME.jsonl``). Raises ValueError for a checkpoint of another recipe, or a damaged one, OSError
    where it cannot be written.
    """
    torch.manual_seed(recipe.seed)
    network = recipe.network().to(memory_format=torch.channels_last)
    average = AveragedModel(network, multi_avg_fn=get_ema_multi_avg_fn(recipe.average), use_buffers=True)
    optimizer = torch.optim.AdamW(network.parameters(), weight_decay=0.05)
    file, first, spent = folder / f"{name}.pt", 0, 0.0
    if saved := _checkpoint(file, recipe):
        network.load_state_dict(saved["network"])
        average.load_state_dict(saved["average"])
        optimizer.load_state_dict(saved["optimizer"])
        first, spent = saved["step"], saved["spent"]
    else:
        (folder / f"{name}.jsonl").unlink(missing_ok=True)  # of a training whose checkpoint was deleted
    if first < recipe.steps:
        network.train()
        forward, followed = computed(network), computed(teacher) if teacher else None
        started = time.monotonic()
        progress = tqdm(range(first, recipe.steps), f"train {name}", recipe.steps, initial=first, unit="step")
        for step in progress:
            torch.manual_seed(recipe.seed * 1_000_003 + step)
            loss = train_step(forward, optimizer, recipe, pool, step, followed)
            average.update_parameters(network)
            steps = step + 1
            if steps % CURVE_STEPS == 0 or steps == recipe.steps:
                row = {
                    "step": steps,
                    "loss": round(loss, 4),
                    "seconds": round(spent + time.monotonic() - started),
                }
                progress.set_postfix(row)
                _note(row, folder / f"{name}.jsonl")
            if steps % CHECKPOINT_STEPS == 0 or steps == recipe.steps:
                state = {
                    "recipe": repr(recipe), "steps": recipe.steps, "step": steps,
                    "spent": spent + time.monotonic() - started,
                    "network": network.state_dict(), "average": average.state_dict(),
                    "optimizer": optimizer.state_dict(),
                }  # fmt: skip
                _save(state, file)
    trained = average.module.eval()
    for parameter in trained.parameters():
        parameter.requires_grad_(False)
    return trained


def _note(row: dict, file: Path) -> None:
    """Add a row to the curve, on a line of its own also where a kill has torn the last one."""
    before = file.read_bytes() if file.exists() else b""
    with file.open("a", encoding="utf-8") as curve:
        torn = before and not before.endswith(b"\n")
        curve.write(("\n" if torn else "") + json.dumps(row) + "\n")


def _save(state: dict, file: Path) -> None:
    """Write a checkpoint, through memory: of a full disk torch itself says only that some writing failed."""
    kept = io.BytesIO()
    torch.save(state, kept)
    try:
        files.write(file, kept.getvalue())
    except OSError as error:
        again = "make room and start again: training goes on from the checkpoint before"
        raise OSError(f"{file} cannot be written ({error.strerror}): {again}") from None


def _checkpoint(file: Path, recipe: Recipe) -> dict | None:
    """What a training left in ``file``, if any. Raises ValueError for another recipe's or a damaged one."""
    if not file.exists():
        return None
    again = "delete it, or the folder, and train again"
    try:
        with zipfile.ZipFile(file) as parts:
            if parts.testzip():  # torch itself does not compare the sums that its file holds
                raise ValueError
        saved = torch.load(file, weights_only=True)
        steps, kept = saved["steps"], saved.get("recipe", repr(recipe))  # older ones have their steps only
    except (RuntimeError, EOFError, KeyError, ValueError, pickle.UnpicklingError, zipfile.BadZipFile):
        raise ValueError(f"{file} is damaged: {again}") from None
    if (steps, kept) != (recipe.steps, repr(recipe)):
        raise ValueError(f"{file} is from another recipe: {again}")
    return saved


def computed(network: nn.Module) -> Callable:
    """``network`` as a function; a Teacher in bfloat16 on a processor that has AMX for it: in half the time.

    Other processors are slower in bfloat16, and a Student's layers are too small to gain.
    """
    half = isinstance(network, Teacher) and torch.cpu.get_capabilities().get("amx_bf16", False)

    def compute(ink: Tensor, widths: Tensor) -> tuple[Tensor, Tensor]:
        with torch.autocast("cpu", torch.bfloat16, enabled=half):
            return network(ink, widths)

    return compute


def train_step(network: Callable, optimizer, recipe: Recipe, pool: Pool, step: int, teacher) -> float:
    """One batch, one step of the optimizer; returns the CTC loss a digit."""
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
    log_probabilities, lengths = network(ink, widths)
    target = torch.tensor(np.array([int(c) for c in "".join(truths)]) + 1)
    target_lengths = torch.tensor([len(t) for t in truths])
    ctc = F.ctc_loss(
        log_probabilities.transpose(0, 1), target, lengths, target_lengths, reduction="none",
        zero_infinity=True,
    )  # fmt: skip
    loss = ctc = (ctc / target_lengths * plain).sum() / plain.sum().clamp(min=1)
    if recipe.taught:
        with torch.inference_mode():
            followed, _ = teacher(ink, widths)
        loss = distillation_loss(ctc, log_probabilities, followed.clone(), lengths)
    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    nn.utils.clip_grad_norm_(optimizer.param_groups[0]["params"], 1.0)
    optimizer.step()
    return ctc.item()
