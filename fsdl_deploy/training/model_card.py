"""Model cards (Mitchell et al. 2019): what each model is, how good, and where it fails.

Written by ``fsdl-deploy train`` from what was measured; no figure here is typed in by hand.
"""

import contextlib
import json
from pathlib import Path

import numpy as np

from fsdl_deploy import weights
from fsdl_deploy.measuring import accuracy, records
from fsdl_deploy.training.evaluation import MNIST, SURELY, WHY_CARDS, table

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


USE = [
    "Meant for: lines of handwritten digits in dark ink on light paper. "
    "Not for: letters, printed digits, white on black, several lines",
    "Confidence: 0 to 1, of the whole reading; the least sure readings hold most errors, so those below a "
    "threshold go to a person, or the customer is asked again "
    "([lesson 00](../notebooks/00_tour.ipynb) shows the price). On pictures unlike the training cards it "
    "promises nothing",
]
WORDS = [
    "CTC (connectionist temporal classification): the loss that trains on the digits of a line without being "
    "told where each of them stands",
    "CER (character error rate): digits wrong, missed or invented, as a share of the digits written",
    "Distilled: beside the truth, the student learns the teacher's outputs "
    "([lesson 05](../notebooks/05_optimization.ipynb))",
    "Mixtures: each of two training cards laid over one another; only the teacher can answer them",
]


def goals(report: dict) -> str:
    """What was asked of the models before they were trained, and what came out, a sentence each."""
    read = report["mnist"]
    teacher, v2 = (100 * read[version]["typical"]["exact_match"] for version in ("teacher", "v2"))
    explained = report["measured"]["why"]["v2"]
    lines = [
        f"- The teacher reads 97.5 % of typical cards: {_against(teacher, 97.5)}.",
        f"- `v2` reads 96.5 % of them: {_against(v2, 96.5)}.",
        f"- `v2` within a point of the teacher: {'' if teacher - v2 <= 1 else 'not '}reached, "
        f"{teacher - v2:.1f} points below it.",
    ]
    if "earlier" in report:
        now, before = (1 - part["hard"]["exact_match"] for part in (read["v2"], report["earlier"]))
        lines.append(
            f"- `v2` makes at most half the errors of the `v2` before it on the same hard cards: "
            f"{'' if now <= before / 2 else 'not '}reached, it misreads {now:.1%} where that one misread "
            f"{before:.1%}, {now / before:.0%} as many."
        )
    lines += [
        "",
        "Why not more: a few odd digits spoil each card on which they stand. Written with the course's 1,000 "
        f"test digits, `v2` reads {explained['exact_match']['0']:.1%} of typical cards, and "
        f"{explained['exact_match']['10']:.1%} once the ten that it misreads most are left out.",
    ]
    return "\n".join(["Goals set before the training, for cards of MNIST's 10,000 test digits:", "", *lines])


def _against(reached: float, goal: float) -> str:
    if reached >= goal:
        return f"reached, {reached:.1f} %"
    return f"not reached, {reached:.1f} %, {goal - reached:.1f} points short"


def _turned(measured: dict | None) -> list[str]:
    if measured is None:
        return []
    return [
        "- Turned cards: one on its side (more than twice as tall as wide) is refused; one upside down is "
        f"not. Of {measured['cards']:,} typical cards turned by 180° it misreads {measured['misread']:.1%}, "
        f"{measured['sure']:.1%} with a confidence of {SURELY} or more: turn them before"
    ]


def _against_the_last(version: str, report: dict) -> list[str]:
    """The same typical cards, this version against the one before it in ``weights.VERSIONS``."""
    lines = []
    for name, results in (("the course's digits", report["measured"]), ("MNIST's", report["mnist"])):
        for pair, changed in results["compared"].items():
            if pair.startswith(f"{version} against "):
                p = accuracy.paired_p(changed["fixed"], changed["broken"])
                other = pair.removeprefix(version).strip().capitalize()
                lines.append(
                    f"- {other} on the same typical cards of {name}: "
                    f"{changed['fixed']} fixed, {changed['broken']} broken (sign test, p {p:.2g})"
                )
    return lines


def _why(on_course: dict | None, on_mnist: dict | None) -> list[str]:
    """What keeps the figure where it is: the digits that are always misread, and all the rest."""
    if on_course is None:
        return []
    lines = []
    for name, total, explained in (
        ("the course's 1,000 test digits", 1_000, on_course),
        ("MNIST's 10,000", 10_000, on_mnist),
    ):
        if explained is None:
            continue
        always = sum(times == 3 for times in explained["misread"].values())
        shares = "; ".join(f"{k} digits: {share:.1%}" for k, share in explained["exact_match"].items())
        lines.append(
            f"- Of {name}, {always} are misread on each of three clean cards that show nothing else, "
            f"{len(explained['misread'])} ({len(explained['misread']) / total:.1%}) on at least one. Exact "
            f"match on typical cards once the most stubborn are taken out: {shares}"
        )
    return [
        f"Why not more? Digits that are misread wherever they stand. The shares are of "
        f"{on_course.get('cards', WHY_CARDS):,} cards each, so the first is not quite that of the table. "
        "They explain the figure; they are not a better one.", "", *lines, "",
        "![Loss against training steps, and exact match against the stubborn digits left out]"
        "(../notebooks/images/why.png)",
        "",
        "The loss is of single batches, the line their running median; in the last phase of v2 it rises "
        "because half of the cards are mixtures from there on. The picture, of the course's digits, is drawn "
        "by `notebooks/images/draw.py`.",
        "",
    ]  # fmt: skip


def write_cards(report: dict, on_mnist: dict, work: Path, into: Path) -> None:
    """Write ``report.json`` (measured figures, curves) and ``NAME.md`` for every model into ``into``.

    ``report`` and ``on_mnist``: what ``evaluate`` measured with the course's test digits, and with those of
    MNIST.
    """
    curves = {version: curve(work, version) for version in weights.VERSIONS}
    file = into / "report.json"
    earlier = {k: v for k, v in (records.read(file) if file.exists() else {}).items() if k == "earlier"}
    records.write(file, measured=report, mnist=on_mnist, curves=curves, **earlier)
    rewrite(into)


def rewrite(into: Path) -> None:
    """Write ``NAME.md`` for every model from the figures in ``into / "report.json"``."""
    for version in weights.VERSIONS:
        (into / f"{version}.md").write_text(card(version, into), encoding="utf-8")


def card(version: str, folder: Path) -> str:
    """The text of a model's card, from its weights and the record in ``folder``."""
    from fsdl_deploy.models import multiply_adds

    report = records.read(folder / "report.json")
    network, measured, rows = (
        weights.load(version, folder).network,
        report["measured"][version],
        report["curves"][version],
    )
    tests = {"the course's 1,000 test digits": measured, "MNIST's 10,000": report["mnist"][version]}
    return "\n".join([
        f"# Model card: {version}", "", ABOUT[version], "",
        f"- Network: {type(network).__name__}, {sum(p.numel() for p in network.parameters()):,} parameters, "
        f"{multiply_adds(network) / 1e6:.1f} million multiply-adds for a line of 160 pixels",
        "- Trained on: cards drawn from 59,000 digits of MNIST's training part, which leaves out the "
        f"course's 1,000 test digits; {_trained(rows)}",
        f"- Files: `{version}.safetensors` (weights, float16), `{version}.onnx` (the whole reader)",
        "- Widths: a card reads the same alone, in any batch, and padded on the right to any width",
        *(f"- {line}" for line in USE),
        *_turned(report["measured"].get("upside_down", {}).get(version)), "",
        "## Measured on cards of unseen digits", "",
        "Exact match of the whole reading. The 95 % intervals know that cards share digits, of which a "
        "hard one spoils several.", "",
        _table(tests), "", *(_again(name, levels, version) for name, levels in tests.items()),
        *_against_the_last(version, report), "",
        *_why(*(results.get("why", {}).get(version) for results in (report["measured"], report["mnist"]))),
        f"Most frequent errors on typical cards of {next(iter(tests))}: "
        + ", ".join(worst_confusions(measured["typical"]["confusion"])) + ".",
        "", "Make it again: `fsdl-deploy train`.", "", "## Words", "", *(f"- {line}" for line in WORDS), "",
    ])  # fmt: skip


def _trained(rows: list[dict]) -> str:
    if not rows:
        return "not trained: the weights are those of v2"
    return f"{rows[-1]['step']:,} steps of 32 cards in {rows[-1]['seconds']:,} s"


def _again(name: str, levels: dict[str, dict], version: str) -> str:
    """The command that gives a row of the table again, on so many cards as it was measured on."""
    count = levels["typical"]["cards"]
    choice = f" --digits {MNIST}" if name.startswith("MNIST") else ""
    return (
        f"- {name}: {count:,} cards of each level; again by "
        f"`fsdl-deploy evaluate -n {count}{choice} --versions {version}`"
    )


def _table(measured: dict[str, dict]) -> str:
    """A row for each set of digits that the cards were written with."""
    head, *rows = table(measured).markdown().splitlines()
    return "\n".join([head.replace("| model |", "| cards written with |"), *rows])
