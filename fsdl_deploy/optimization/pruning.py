"""`fsdl-deploy prune`: take weights out of the student, one by one or whole channels, and train on

Single weights that are set to zero (Han et al. 2015, by ``torch.nn.utils.prune``) leave every matrix as
large as it was. Whole channels that are taken out (chosen as by Liu et al. 2017) leave a narrower network,
which any runtime computes faster. ``models/pruning.json`` has what both do to accuracy, file and time.
"""

import tempfile
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor, nn

from fsdl_deploy import weights
from fsdl_deploy.cards import cards_and_digits
from fsdl_deploy.measuring.table import Table
from fsdl_deploy.models import MeterReader, Student, multiply_adds
from fsdl_deploy.optimization import rungs, trained_comparison
from fsdl_deploy.optimization.qat import BATCH, in_torch, row, timed, trained
from fsdl_deploy.packaging.onnx_export import export
from fsdl_deploy.training.evaluation import read_right
from fsdl_deploy.training.training_cards import Pool

FILE, STEPS, RATE = "pruning.json", 800, 1e-3  # of learning, as a network that has lost much needs it
ZEROS, KEPT = (0.5, 0.8), (0.75, 0.5)  # shares: of the weights that become zero, of the channels that stay
FLOAT = "float32"


def without_weights(student: Student, share: float) -> Student:
    """A copy whose smallest weights are zero, ``share`` of all; as large and as fast as before.

    Raises ValueError for a share that is not from 0 to 1.
    """
    if not 0 <= share <= 1:
        raise ValueError(f"from 0 to 1 of the weights can become zero, not {share}")
    from torch.nn.utils import prune

    copied = _copy(student)
    kinds = (nn.Conv2d, nn.Conv1d, nn.Linear)
    parts = [(part, "weight") for part in copied.modules() if isinstance(part, kinds)]
    prune.global_unstructured(parts, pruning_method=prune.L1Unstructured, amount=share)
    for part, name in parts:
        prune.remove(part, name)
    return copied.eval()


def without_channels(student: Student, kept: float) -> Student:
    """A narrower student with the channels that count most, the share ``kept`` of each layer's.

    Layers that are added to each other keep the same channels. Raises ValueError for a share that is not
    above 0, or above 1.
    """
    if not 0 < kept <= 1:
        raise ValueError(f"more than 0 and at most 1 of the channels can stay, not {kept}")
    state = student.state_dict()
    chosen = {name: _most(score, kept) for name, score in _importance(state).items()}
    narrow = Student(tuple(len(chosen[name]) for name in "abcd"))
    narrow.load_state_dict({name: _part(name, value, chosen) for name, value in state.items()})
    return narrow.eval()


def _importance(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """How much each channel counts: a, b, c, d of the blocks, e of what they are collapsed to, m of the mix.

    Where batch normalisation follows, it is the factor that it multiplies the channel by.
    """

    def scales(*names: str) -> Tensor:
        return sum(state[f"{name}.1.weight"].abs() for name in names)

    def blocks(*numbers: int) -> Tensor:
        return scales(*(f"blocks.{number}.pointwise" for number in numbers))

    return {
        "a": scales("stem"), "b": blocks(0), "c": blocks(1, 2, 3), "d": blocks(4, 5),
        "e": state["collapse.weight"].flatten(1).norm(dim=1),
        "m": state["mix.weight"].norm(dim=1) * state["head.weight"].norm(dim=0),
    }  # fmt: skip


def _most(score: Tensor, kept: float) -> Tensor:
    return score.topk(max(1, round(kept * len(score)))).indices.sort().values


# From which channels to which each part of the student leads; None: all, as they are.
_WAYS = {
    "stem": (None, "a"),
    "collapse": ("d", "e"),
    "context": (None, "e"),
    "mix": ("e", "m"),
    "head": ("m", None),
}
_BLOCKS = ("ab", "bc", "cc", "cc", "cd", "dd")


def _part(name: str, value: Tensor, chosen: dict[str, Tensor]) -> Tensor:
    """What is left of a parameter: its rows are the channels it makes, its columns those it takes."""
    words = name.split(".")
    if words[0] == "blocks":
        inward, outward = _BLOCKS[int(words[1])]
        inward, outward = (None, inward) if words[2] == "depthwise" else (inward, outward)
    else:
        inward, outward = _WAYS[words[0]]
    if value.dim() and outward:
        value = value[chosen[outward]]
    return value[:, chosen[inward]] if value.dim() > 1 and inward else value


def _copy(student: Student) -> Student:
    copied = Student(_widths(student))
    copied.load_state_dict(student.state_dict())
    return copied


def _widths(student: Student) -> tuple[int, ...]:
    layers = [student.stem[0], *(student.blocks[place].pointwise[0] for place in (0, 1, 4))]
    return tuple(layer.out_channels for layer in layers)


def compare(steps: int, count: int, pool: Pool, say=print) -> list[dict]:
    """Every row of the table; ``count`` typical cards of unseen digits. Each network is trained once."""
    torch.set_num_threads(1)
    deck, written = zip(*cards_and_digits(count, "typical", seed=61), strict=True)
    student, teacher = weights.load("v2").network, weights.load("teacher").network
    networks: dict[str, Student] = {FLOAT: student}
    networks |= {f"{share:.0%} of the weights zero": without_weights(student, share) for share in ZEROS}
    for kept in KEPT:
        narrow = without_channels(student, kept)
        networks[f"{kept:.0%} of the channels"] = narrow
        # Sums over fewer channels have other means: batch normalisation must learn them again.
        networks[f"{kept:.0%} of the channels, trained on"] = trained(
            _trainable(narrow), steps, pool, teacher, RATE, freeze=False
        )
    rows, before = [], None
    with tempfile.TemporaryDirectory() as folder:
        exported = {name: _exported(network, Path(folder)) for name, network in networks.items()}
        readers = {name: rungs.FileReader(content, name) for name, content in exported.items()}
        took = timed(readers, deck[:50], 9)
    for name, network in networks.items():
        hits = read_right(in_torch("", network), deck, BATCH)
        before = before or hits
        kept_weights = sum(int((value != 0).sum()) for value in network.parameters())
        about = {"weights": kept_weights, "multiply_adds": multiply_adds(network)}
        about |= {"bytes": len(exported[name]), "time_ratio": round(took[name] / took[FLOAT], 3)}
        rows.append(row(name, hits, before, written, **about))
        say(rows[-1])
    return rows


def _trainable(student: Student) -> Student:
    copied = _copy(student)
    for parameter in copied.parameters():
        parameter.requires_grad_(True)
    return copied


def _exported(network: Student, folder: Path) -> bytes:
    for parameter in network.parameters():
        parameter.requires_grad_(False)
    export(MeterReader(network), "pruned", folder / "pruned.onnx")
    return (folder / "pruned.onnx").read_bytes()


def table(rows: Sequence[dict]) -> Table:
    """The rows: cards read right, fixed and broken against the first, what is left, size and time."""
    cells = []
    for each in rows:
        share = f"{each['right']}/{each['cards']} {each['right'] / each['cards']:.1%}"
        left = each["weights"] / rows[0]["weights"], each["multiply_adds"] / rows[0]["multiply_adds"]
        cells.append(
            [
                each["name"],
                share,
                each["fixed"],
                each["broken"],
                *left,
                each["bytes"] / 1024,
                each["time_ratio"],
            ]
        )
    header = ["", "right", "fixed", "broken", "weights left", "multiply-adds left", "KiB", "time"]
    return Table(header, *cells, formats=["", "", "d", "d", ".0%", ".0%", ",.0f", ".2f"])


def add_arguments(parser) -> None:
    trained_comparison.options(parser, FILE, STEPS, "training steps after pruning")


def main(args) -> int:
    return trained_comparison.run(args, FILE, compare, table)
