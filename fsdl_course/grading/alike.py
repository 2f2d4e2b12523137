"""Hand-ins that are nearly the same: a hint to look at two passages side by side, never a verdict.

Answers are compared as runs of tokens in which names of the student's own are one name, and texts, comments
and blanks do not count. What the lab gives, what its solution says and what more than half of the class has
tells nothing, and is left out. Knows nothing of points.
"""

import builtins
import io
import itertools
import keyword
import re
import tokenize
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from fsdl_course.grading.notebook_file import slim
from fsdl_course.grading.pages import escaped, page
from fsdl_course.grading.submissions import slug
from fsdl_course.grading.tables import cell, text_of
from fsdl_course.labs import convert
from fsdl_deploy import files
from fsdl_deploy.paths import ROOT

LONG = 12  # tokens of a run that is compared
FEWEST = 12  # runs of a hand-in's own, below which nothing is said
NEARLY = 0.7  # of the smaller one's own runs
KEPT = set(dir(builtins)) | set(keyword.kwlist) | {"self", "np"}
OTHER = re.compile(r"[A-Za-z_]\w*|\d+(?:\.\d+)?|\S")
LAYOUT = {tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT}
LAYOUT |= {tokenize.COMMENT, tokenize.ENDMARKER}
MOST_TOKENS = 20_000  # of a hand-in


@dataclass(frozen=True)
class CodeRuns:
    """The runs of tokens of one hand-in, and the line in which each starts."""

    lines: list[str]
    places: dict[tuple[str, ...], int] = field(default_factory=dict)  # run -> number of its first line


@dataclass(frozen=True)
class AlikePair:
    """Two hand-ins of a lab: the share of the smaller one's own runs, and the passages where they are."""

    lab: str
    first: str
    second: str
    share: float
    runs: int
    passages: tuple[str, str]


def runs_of(sources: list[str]) -> CodeRuns:
    """The code of cells -> its runs of ``LONG`` tokens; none goes from one cell into the next."""
    places: dict[tuple[str, ...], int] = {}
    lines, left = [], MOST_TOKENS
    for source in sources:
        tokens = list(itertools.islice(_tokens(source), left))
        left -= len(tokens)
        for number in range(len(tokens) - LONG + 1):
            run = tuple(token for token, _ in tokens[number : number + LONG])
            places.setdefault(run, len(lines) + tokens[number][1])
        lines += source.split("\n")
    return CodeRuns(lines, places)


def _tokens(text: str):
    """(token, line from 0), by Python's own tokenizer, or by signs and words where it is no Python."""
    try:
        pairs = [
            (token.type, token.string, token.start[0] - 1)
            for token in tokenize.generate_tokens(io.StringIO(text).readline)
        ]
    except (tokenize.TokenError, SyntaxError, ValueError, RecursionError):
        pairs = [
            (tokenize.OP, match[0], number)
            for number, line in enumerate(text.split("\n"))
            for match in OTHER.finditer(line.partition("#")[0])
        ]
    after_dot = False
    for kind, string, line in pairs:
        if kind in LAYOUT:
            continue
        if kind in (tokenize.STRING, getattr(tokenize, "FSTRING_MIDDLE", -1)):
            yield "text", line
        elif string.isidentifier() and string not in KEPT and not after_dot:
            yield "name", line
        else:
            yield string, line
        after_dot = string == "."


def pairs(lab: str, sources: dict[str, tuple[str, list[str]]], known: list[list[str]]) -> list[AlikePair]:
    """Pairs of nearly the same hand-ins of a lab, the most alike first.

    ``sources``: hand-in -> (person, code of its answers). Hand-ins of one person are not compared.
    """
    given = set().union(*(runs_of(code).places for code in known)) if known else set()
    runs = {name: runs_of(code) for name, (_, code) in sorted(sources.items())}
    often = Counter(run for each in runs.values() for run in each.places)
    common = {run for run, count in often.items() if count > max(2, len(runs) / 2)}
    own = {name: each.places.keys() - given - common for name, each in runs.items()}
    alike = []
    for first, second in itertools.combinations(runs, 2):
        fewest = min(len(own[first]), len(own[second]))
        if sources[first][0] == sources[second][0] or fewest < FEWEST:
            continue
        both = own[first] & own[second]
        if len(both) / fewest >= NEARLY:
            passages = tuple(_passage(runs[name], both) for name in (first, second))
            alike.append(AlikePair(lab, first, second, len(both) / fewest, len(both), passages))
    return sorted(alike, key=lambda pair: (-pair.share, -pair.runs, pair.first, pair.second))


def _passage(runs: CodeRuns, both: set, most: int = 40) -> str:
    """The lines from the first to the last run that both have, at most ``most``."""
    lines = sorted(runs.places[run] for run in both)
    last = min(lines[-1] + 3, lines[0] + most, len(runs.lines))
    return "\n".join(runs.lines[lines[0] : last])


def of_folder(results: list[dict], out: Path, root: Path = ROOT) -> list[AlikePair]:
    """The pairs among all hand-ins whose notebooks ``gradebook`` has written into ``out``, lab by lab."""
    alike = []
    for lab in sorted({result["lab"] for result in results} & set(convert.names(root))):
        known = [[cell.source for cell in each.cells] for each in convert.both(lab, root)]
        given = {source.strip() for source in known[1]}
        sources = {}
        for result in results:
            path = out / "submitted" / slug(result["student"]) / lab / f"{lab}.ipynb"
            if result["lab"] == lab and path.exists():
                cells = [cell for cell in slim(path)[1] if cell["cell_type"] == "code"]
                code = [cell["source"] for cell in cells if cell["source"].strip() not in given]
                sources[result["student"]] = (result["person"], code)
        alike += pairs(lab, sources, known)
    return alike


def write(alike: list[AlikePair], out: Path) -> None:
    """``alike.csv`` and ``alike.html``: both passages side by side, with everything escaped."""
    header = ["lab", "first", "second", "share of the smaller one", "runs in both"]
    rows = [[pair.lab, cell(pair.first), cell(pair.second), f"{pair.share:.2f}", pair.runs] for pair in alike]
    files.write(out / "alike.csv", text_of(header, rows))
    parts = [
        "<h1>Hand-ins that are nearly the same</h1><p>A hint, not a verdict: short answers may agree by "
        "chance, and students may have worked from the same source, or together, as your course allows. "
        "Read both before you ask.</p>"
    ]
    for pair in alike:
        both = "".join(f"<td><pre>{escaped(passage)}</pre></td>" for passage in pair.passages)
        parts.append(
            f"<h2>{escaped(pair.lab)}: {pair.share:.0%}</h2><table><tr><th>{escaped(pair.first)}</th>"
            f"<th>{escaped(pair.second)}</th></tr><tr>{both}</tr></table>"
        )
    parts += [] if alike else ["<p>None.</p>"]
    files.write(out / "alike.html", page("Nearly the same", "".join(parts)))
