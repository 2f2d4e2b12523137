"""Model cards (Mitchell et al. 2019): what each model is, how good, and where it fails.

Written by ``fsdl-deploy train`` from what was measured; no figure here is typed in by hand.
"""

import contextlib
import json
from pathlib import Path

import numpy as np

from fsdl_deploy import weights
from fsdl_deploy.measuring import records
from fsdl_deploy.training.evaluation import table

ABOUT = {
    "teacher": "Convolutions and a transformer encoder, trained with CTC. Accurate and dear; it teaches v2.",
    "v1": "A MobileNet-style student, trained with CTC alone, for a short time.",
    "v2": "The same student network as v1, trained for longer and distilled from the teacher.",
    "v3-bad": "The weights of v2 with a bug in the preprocessing: the light of the clean test cards is taken "
    "for the light of all pictures. Clean cards do not show it. It is here for the lesson on rollouts.",
}


def worst_confusions(confusion: list[list[int]], count: int = 5) -> list[str]:
    """The ``count`` most frequent errors of a confusion matrix ``[11, 11]``, each as a phrase."""
    matrix = np.array(confusion)
    np.fill_diagonal(matrix, 0)
    order = np.argsort(matrix, axis=None)[::-1][:count]
    phrases = []
    for written, read in zip(*np.unravel_index(order, matrix.shape), strict=True):
        times = matrix[written, read]
        if not times:
            break
        what = (
            f"{read} invented"
            if written == 10
            else f"{written} missed"
            if read == 10
            else f"{written} read as {read}"
        )
        phrases.append(f"{what} ({times} ×)")
    return phrases


def curve(work: Path, version: str) -> list[dict]:
    """The training curve of ``version``: rows of step, loss (CTC a digit), seconds.

    A line that a kill has torn is left out.
    """
    file = work / f"{version}.jsonl"
    lines = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
    rows = {}
    for line in lines:
        with contextlib.suppress(json.JSONDecodeError):
            row = json.loads(line)
            rows[row["step"]] = row
    return list(rows.values())


def _why(explained: dict | None) -> list[str]:
    """What keeps the figure where it is: the digits that are always misread, and all the rest."""
    if explained is None:
        return []
    always = sum(times == 3 for times in explained["misread"].values())
    shares = "; ".join(f"{k} digits: {share:.1%}" for k, share in explained["exact_match"].items())
    return [
        f"Why not more? {always} of the 1,000 test digits are misread on each of three clean cards that "
        f"show nothing else, {len(explained['misread'])} on at least one. Exact match on typical cards once "
        f"the most stubborn are taken out: {shares}. This explains the figure; it is not a better one.",
        "",
        "![Loss against training steps, and exact match against the stubborn digits left out]"
        "(../notebooks/images/why.png)",
        "",
        "The loss is of single batches, the line their running median; in the last phase of v2 it rises "
        "because half of the cards are mixtures from there on. The picture is drawn by "
        "`notebooks/images/draw.py`.",
        "",
    ]


def write_cards(report: dict, on_mnist: dict, work: Path, into: Path) -> None:
    """Write ``report.json`` (measured figures, curves) and ``NAME.md`` for every model into ``into``.

    ``report`` and ``on_mnist``: what ``evaluate`` measured with the course's test digits, and with those of
    MNIST.
    """
    from fsdl_deploy.models import multiply_adds

    curves = {version: curve(work, version) for version in weights.VERSIONS}
    records.write(into / "report.json", measured=report, mnist=on_mnist, curves=curves)
    for version in weights.VERSIONS:
        network, measured = weights.load(version, into).network, report[version]
        parameters = sum(p.numel() for p in network.parameters())
        rows = curves[version]
        trained = "not trained: the weights are those of v2"
        if rows:
            trained = f"{rows[-1]['step']:,} steps of 32 cards in {rows[-1]['seconds']:,} s"
        errors = ", ".join(worst_confusions(measured["typical"]["confusion"]))
        lines = [
            f"# Model card: {version}", "", ABOUT[version], "",
            f"- Network: {type(network).__name__}, {parameters:,} parameters, "
            f"{multiply_adds(network) / 1e6:.1f} million multiply-adds for a line of 160 pixels",
            "- Trained on: cards drawn from 59,000 digits of MNIST's training part, which leaves out the "
            f"course's 1,000 test digits; {trained}",
            f"- Files: `{version}.safetensors` (weights, float16), `{version}.onnx` (the whole reader)",
            "- Widths: a card reads the same alone, in any batch, and padded on the right to any width",
            "- Meant for: lines of handwritten digits in dark ink on light paper. "
            "Not for: letters, printed digits, white on black, several lines",
            "", "## Measured on cards of unseen digits", "",
            "Exact match of the whole reading. The 95 % intervals know that cards share digits, of which a "
            "hard one spoils several.", "",
            _table({"the course's 1,000 test digits": measured, "MNIST's 10,000": on_mnist[version]}), "",
            *_why(report.get("why", {}).get(version)),
            "Most frequent errors on typical cards: " + errors + ".",
            "", "Make it again: `fsdl-deploy train`. Measure it again: `fsdl-deploy evaluate`, also with "
            "`--digits mnist`.", "",
        ]  # fmt: skip
        (into / f"{version}.md").write_text("\n".join(lines), encoding="utf-8")


def _table(measured: dict[str, dict]) -> str:
    """A row for each set of digits that the cards were written with."""
    head, *rows = table(measured).markdown().splitlines()
    return "\n".join([head.replace("| model |", "| cards written with |"), *rows])
