"""``fsdl-deploy qat``: train the student on with the rounding in the loop, against rounding it afterwards.

Quantization-aware training (Jacob et al. 2018): fake quantization rounds weights and activations in the
forward pass, the gradient passes as if nothing were rounded, so the weights settle where rounding hurts
least. torch's own flow (``torch.ao.quantization``) puts the rounding into the graph. The result,
``models/quantization.json``, holds the accuracy for each number of bits, without and with the training, and
of the files that ONNX Runtime makes of the same weights.
"""

import copy
import tempfile
import warnings
from collections.abc import Sequence
from functools import partial
from itertools import chain
from pathlib import Path

import numpy as np
import torch
from torch import nn

from fsdl_deploy import weights
from fsdl_deploy.cards import Card, cards_and_digits
from fsdl_deploy.measuring.accuracy import clustered, fixed_and_broken
from fsdl_deploy.measuring.table import Table
from fsdl_deploy.measuring.turns import in_turns
from fsdl_deploy.models import MeterReader, Student
from fsdl_deploy.optimization import quantization, rungs, trained_comparison
from fsdl_deploy.packaging.onnx_export import export
from fsdl_deploy.reader import TorchReader
from fsdl_deploy.training.evaluation import read_right
from fsdl_deploy.training.loop import train_step
from fsdl_deploy.training.recipes import Phase, Recipe
from fsdl_deploy.training.training_cards import Pool

FILE = "quantization.json"
BITS = (7, 4)  # of the weights: 7 as in ``quantization.quantized``; activations have 8
STEPS, CALIBRATION = 40, 8
BATCH = 50  # cards a call where they are only read


def recipe(steps: int, rate: float = 3e-4) -> Recipe:
    """A short last phase, as the student's own was: taught, with a low learning rate."""
    return Recipe(Student, (Phase(steps, rate, 0.5),), seed=9, taught=True)


def prepared(network: Student, bits: int) -> nn.Module:
    """A copy of ``network`` whose convolutions and linear layers round; interface as the network's.

    Weights in ``bits`` (2 to 8) for each channel, activations in 8; batch normalisation is folded into the
    weights before they are rounded. The ranges follow what the module sees, see ``calibrate``. Raises
    ValueError for other numbers of bits.
    """
    if not 2 <= bits <= 8:
        raise ValueError(f"weights have 2 to 8 bits, not {bits}")
    from torch.ao import quantization as torch_quantization
    from torch.ao.quantization import quantize_fx

    low, high = -(2 ** (bits - 1)), 2 ** (bits - 1) - 1
    observer = torch_quantization.MovingAveragePerChannelMinMaxObserver
    rounded = torch_quantization.FakeQuantize.with_args(
        observer=observer, quant_min=low, quant_max=high, dtype=torch.qint8,
        qscheme=torch.per_channel_symmetric, averaging_constant=1.0,
    )  # fmt: skip
    activation = torch_quantization.FakeQuantize.with_args(
        observer=torch_quantization.MovingAverageMinMaxObserver,
        quant_min=0,
        quant_max=255,
        dtype=torch.quint8,
    )
    chosen = torch_quantization.QConfig(activation=activation, weight=rounded)
    mapping = torch_quantization.QConfigMapping()
    for kind in (nn.Conv2d, nn.Conv1d, nn.Linear, nn.BatchNorm2d, nn.ReLU, nn.functional.relu):
        mapping.set_object_type(kind, chosen)
    example = (torch.zeros(2, 1, 32, 160), torch.tensor([160, 100]))
    network = copy.deepcopy(network).train()
    for parameter in network.parameters():
        parameter.requires_grad_(True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that the flow is to leave torch for torchao
        return quantize_fx.prepare_qat_fx(network, mapping, example)


def calibrate(module: nn.Module, pool: Pool) -> nn.Module:
    """Show a prepared module some batches, so that it knows its ranges, and freeze them."""
    from torch.ao.quantization import disable_observer, enable_observer

    module.eval().apply(enable_observer)
    with torch.inference_mode():
        for step in range(CALIBRATION):
            ink, widths, _ = pool.batch(step, 32, 5, 9, 0.0)
            module(ink, widths)
    return module.apply(disable_observer)


def trained(
    module: nn.Module, steps: int, pool: Pool, teacher: nn.Module, rate: float = 3e-4, freeze: bool = True
) -> nn.Module:
    """Train a network, prepared or not, for so many steps; in evaluation mode.

    ``rate``: of learning. ``freeze``: keep the running figures of batch normalisation as they are.
    """
    torch.manual_seed(9)
    how = recipe(steps, rate)
    optimizer = torch.optim.AdamW(module.parameters(), weight_decay=0.01)
    module.train()
    # The running figures of batch normalisation stay those of the long training: few steps move them badly.
    for part in module.modules():
        if isinstance(part, nn.BatchNorm2d) and freeze:
            part.eval()
        elif hasattr(part, "freeze_bn_stats"):
            part.freeze_bn_stats()
    for step in range(steps):
        torch.manual_seed(step)
        train_step(module, optimizer, how, pool, step, teacher)
    return module.eval()


def plain(module: nn.Module) -> Student:
    """The Student with the float weights of a prepared module: what is left when nothing is rounded."""
    student = Student()
    named = {name.replace(".0.bn.", ".1."): value for name, value in module.state_dict().items()}
    student.load_state_dict({name: named[name] for name in student.state_dict()})
    return student.eval()


def row(name: str, hits: list[bool], before: list[bool], written: Sequence[Sequence[int]], **more) -> dict:
    """One line of the table: cards read right, fixed and broken against ``before``.

    ``written``: the digits on each card, which the interval knows to be shared (``accuracy.clustered``).
    """
    fixed, broken = fixed_and_broken(before, hits)
    return {
        "name": name, "right": sum(hits), "cards": len(hits),
        "digits": len(set(chain(*written))), "interval": [round(end, 4) for end in clustered(hits, written)],
        "fixed": fixed, "broken": broken,
    } | more  # fmt: skip


def in_torch(name: str, network: nn.Module) -> TorchReader:
    """A reader around a network in torch."""
    return TorchReader(name, MeterReader(network).eval())


def timed(readers: dict, deck: Sequence[Card], rounds: int) -> dict[str, float]:
    """Milliseconds a card of each reader, the median of ``rounds``, in turns."""

    def deck_read(reader) -> None:
        for card in deck:
            reader.read([card.image])

    calls = {name: partial(deck_read, reader) for name, reader in readers.items()}
    took = in_turns(calls, rounds, warmup=0)
    return {name: float(np.median(times)) / len(deck) for name, times in took.items()}


def compare(steps: int, count: int, pool: Pool, say=print) -> list[dict]:
    """Every row of the table; ``count`` typical cards of unseen digits."""
    torch.set_num_threads(1)
    deck, written = zip(*cards_and_digits(count, "typical", seed=61), strict=True)
    student, teacher = weights.load("v2").network, weights.load("teacher").network
    before = read_right(in_torch("v2", student), deck, BATCH)
    rows = [row("float32", before, before, written, where="torch")]

    def measured(name: str, network: nn.Module) -> nn.Module:
        hits = read_right(in_torch("", network), deck, BATCH)
        rows.append(row(name, hits, before, written, where="torch"))
        say(rows[-1])
        return network

    plains = {"": student}
    for bits in BITS:
        measured(f"{bits} bits, after training", calibrate(prepared(student, bits), pool))
        aware = trained(prepared(student, bits), steps, pool, teacher)
        aware = measured(f"{bits} bits, in training", calibrate(aware, pool))
        if bits == 7:
            plains["quantization-aware"] = plain(aware)
    on = copy.deepcopy(student)
    for parameter in on.parameters():
        parameter.requires_grad_(True)
    on = trained(on, steps, pool, teacher)
    plains["as many steps without"] = measured("float32, as many steps", on)
    with tempfile.TemporaryDirectory() as folder:
        return rows + _files(plains, deck, written, before, Path(folder), say)


def _files(networks: dict[str, nn.Module], deck, written, before, folder: Path, say) -> list[dict]:
    """The int8 files that ONNX Runtime makes of the networks, and v2 as it is: accuracy, size, time."""
    readers, sizes = {"v2.onnx, float32": rungs.make("v2:onnx", folder)}, {}
    sizes["v2.onnx, float32"] = len(weights.verified("v2.onnx"))
    for name, network in networks.items():
        source, quantized = folder / "source.onnx", folder / "int8.onnx"
        if name:
            for parameter in network.parameters():
                parameter.requires_grad_(False)
            export(MeterReader(network), "qat", source)
        else:
            source.write_bytes(weights.verified("v2.onnx"))
        quantization.quantize(source, quantized, "static")
        title = f"int8 file, {name or 'post-training'}"
        readers[title] = rungs.FileReader(quantized.read_bytes(), title)
        sizes[title] = quantized.stat().st_size
    took = timed(readers, deck[:50], 9)
    rows = []
    for title, reader in readers.items():
        ratio = round(took[title] / took["v2.onnx, float32"], 3)
        hits, about = read_right(reader, deck, BATCH), {"bytes": sizes[title], "time_ratio": ratio}
        rows.append(row(title, hits, before, written, where="ONNX Runtime", **about))
        say(rows[-1])
    return rows


def table(rows: Sequence[dict]) -> Table:
    """The rows: cards read right, fixed and broken against the first row; size and time of a file.

    A record without ``digits`` is older: its intervals take the cards for independent, and are too narrow.
    """
    cells = []
    for row in rows:
        low, high = row["interval"]
        share = f"{row['right']}/{row['cards']} {row['right'] / row['cards']:.1%}"
        kibibytes = row["bytes"] / 1024 if "bytes" in row else None
        changed = row["fixed"], row["broken"]
        cells.append(
            [row["name"], share, f"{low:.1%} – {high:.1%}", *changed, kibibytes, row.get("time_ratio")]
        )
    interval = "95 % interval" if all("digits" in row for row in rows) else "95 %, cards as independent"
    header = ["", "right", interval, "fixed", "broken", "KiB", "time"]
    return Table(header, *cells, formats=["", "", "", "d", "d", ",.0f", ".2f"])


def add_arguments(parser) -> None:
    trained_comparison.options(parser, FILE, STEPS, "training steps")


def main(args) -> int:
    return trained_comparison.run(args, FILE, compare, table)
