"""Sentences of the lecture: where the course runs each, and how its verdict is decided

They stand in ``notebooks/claims.toml``, each in the lecture's own words. No verdict is written there: a claim
has *rules*, small expressions over what a cell measured or a record holds, and ``claims("07", results)`` in a
lesson evaluates them on the reader's machine. Knows nothing of how anything is measured.
"""

import ast
import re
import string
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from pathlib import Path

from fsdl_course.claim_results import results_set
from fsdl_deploy.measuring import records
from fsdl_deploy.measuring.table import Table
from fsdl_deploy.paths import ROOT

FILE = Path("notebooks") / "claims.toml"
SOURCES = ("notes", "slides")
HOLDS, PARTLY, FAILS = "holds", "holds partly", "does not hold here"
NOT_MEASURED = "not measured in this run"
_ALLOWED = (
    *(ast.Expression, ast.Load, ast.Name, ast.Constant, ast.List, ast.Tuple, ast.Subscript),
    *(ast.Call, ast.keyword, ast.Compare, ast.BoolOp, ast.UnaryOp, ast.BinOp),
    *(ast.cmpop, ast.boolop, ast.unaryop, ast.operator),
)


class ClaimError(ValueError):
    """The file of claims is wrong; the message names the claim and says what to do."""


def row(rows: list[dict], **values) -> dict:
    """The first of a record's rows with these values, or {}: ``row(rungs, rung="distilled")["right"]``."""
    return next((entry for entry in rows if all(entry[name] == value for name, value in values.items())), {})


FUNCTIONS = {"row": row} | {function.__name__: function for function in (abs, all, any, len, max, min, sum)}


def _evaluated(rule: str, results: Mapping[str, object]) -> object:
    return eval(compile(rule, "rule", "eval"), {"__builtins__": {}} | FUNCTIONS, dict(results))


class _Words(string.Formatter):
    """As ``str.format``, with a bool in words; a field with a call, ``{row(…)['right']}``, is a rule."""

    def get_field(self, field_name: str, args: tuple, kwargs: Mapping[str, object]) -> tuple[object, object]:
        if "(" in field_name:
            return _evaluated(field_name, kwargs), None
        return super().get_field(field_name, args, kwargs)

    def format_field(self, value: object, format_spec: str) -> str:
        if type(value).__name__ in ("bool", "bool_") and not format_spec:
            return "yes" if value else "no"
        return super().format_field(value, format_spec)


@dataclass(frozen=True)
class Claim:
    """One sentence. ``holds`` and ``partly`` decide its verdict, ``shows`` says in numbers what was measured.

    It runs in ``section`` of ``notebook`` (``07_scaling``, ``tools/triton``), or by ``command`` where that
    takes too long for a lesson. ``record``: a file whose fields the rules use. ``undecided`` says why nothing
    that runs could decide the sentence; ``to_come`` says in which lesson it will be measured.
    """

    number: int
    quote: str
    source: str
    lesson: str
    notebook: str = ""
    section: str = ""
    command: str = ""
    record: str = ""
    holds: str = ""
    partly: str = ""
    shows: str = ""
    undecided: str = ""
    to_come: str = ""

    def results(self) -> set[str]:
        """The names of the results that its rules ask for."""
        trees = [ast.parse(rule, mode="eval") for rule in (self.holds, self.partly) if rule]
        names = {node.id for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Name)}
        return names - FUNCTIONS.keys()

    def verdict(self, results: Mapping[str, object]) -> str:
        """What the results say of it. Raises ClaimError for a rule that cannot be evaluated on them."""
        if self.undecided or not self.results() <= results.keys():
            return self.undecided or NOT_MEASURED
        if self._true(self.holds, results):
            return HOLDS
        return PARTLY if self.partly and self._true(self.partly, results) else FAILS

    def measured(self, results: Mapping[str, object]) -> str:
        """``shows`` with the results in it, a bool as yes or no; "" where one of them is missing."""
        try:
            return _Words().vformat(self.shows, (), results)
        except (LookupError, NameError, TypeError, ValueError):
            return ""

    def _true(self, rule: str, results: Mapping[str, object]) -> bool:
        try:
            return bool(_evaluated(rule, results))
        except Exception as error:
            raise ClaimError(f"claim {self.number}: {rule!r} cannot be evaluated: {error!r}") from None


def read(root: Path = ROOT) -> list[Claim]:
    """All claims in the file's order. Raises ClaimError for one that is not whole."""
    document = tomllib.loads((root / FILE).read_text(encoding="utf-8"))
    known = [_claim(entry) for entry in document.get("claim", [])]
    numbers = [claim.number for claim in known]
    if twice := sorted({number for number in numbers if numbers.count(number) > 1}):
        raise ClaimError(f"claim {twice[0]} is there twice: give each sentence its own number")
    return known


def claims(lesson: str, results: Mapping[str, object], root: Path = ROOT, *, notebook: str = "") -> Table:
    """The claims that a lesson measures, what it measured and the verdict: ``claims("07", measured)``.

    ``results``: what the lesson's cells measured, by name. Claims without a place yet are counted in a note.
    ``notebook``: only those that this tool's notebook measures (``tools/aws_lambda``); else those of tools
    are named in a note.
    """
    own = [claim for claim in read(root) if claim.lesson == lesson]
    if not own:
        raise ClaimError(f"no claim belongs to a lesson {lesson!r}: lessons are called as in '07'")
    here = [claim for claim in own if claim.notebook == notebook or not (notebook or _of_a_tool(claim))]
    if not here:
        raise ClaimError(f"no claim of lesson {lesson} is measured in {notebook!r}")
    rows = []
    for claim in here:
        known = records.read(root / claim.record) | dict(results) if claim.record else results
        if not claim.to_come:
            rows.append([f"“{claim.quote}”", claim.measured(known), claim.verdict(known)])
    notes, waiting = [], len(here) - len(rows)
    if not notebook and (tools := sorted({claim.notebook for claim in own if _of_a_tool(claim)})):
        notes.append(f"More of the lecture's sentences on this are measured in {', '.join(tools)}.")
    if waiting:
        notes.append(f"{waiting} more of the lecture's sentences on this are to come.")
    return Table(["the lecture", "measured here", "verdict"], *rows, notes=notes)


def _of_a_tool(claim: Claim) -> bool:
    return claim.notebook.startswith("tools/")


def problems(known: list[Claim], root: Path = ROOT) -> Iterator[str]:
    """What is wrong with the claims' places and rules: each a sentence."""
    for claim in known:
        where = f"claim {claim.number}"
        if claim.record and not (root / claim.record).is_file():
            yield f"{where}: there is no record {claim.record}"
        elif claim.record and (missing := sorted(claim.results() - records.read(root / claim.record).keys())):
            yield f"{where}: {claim.record} holds no {missing[0]!r}"
        if claim.notebook:
            yield from (f"{where}: {problem}" for problem in _misplaced(claim, root))


def misquoted(known: list[Claim], lecture: Path) -> Iterator[str]:
    """The claims whose words do not stand in ``lecture`` (a folder with notes.md and slides.txt)."""
    files = {"notes": lecture / "notes.md", "slides": lecture / "slides.txt"}
    texts = {source: plain(file.read_text(encoding="utf-8")) for source, file in files.items()}
    for claim in known:
        if plain(claim.quote) not in texts[claim.source]:
            yield f"claim {claim.number}: the {claim.source} do not say {claim.quote!r}"


def plain(text: str) -> str:
    """A text without Markdown's signs, its spaces single and its quotation marks straight."""
    text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", text).translate(str.maketrans("“”’", '""\'', "*_"))
    return " ".join(text.split())


def _claim(entry: dict) -> Claim:
    where = f"claim {entry.get('number', '?')}"
    if unknown := sorted(entry.keys() - {field.name for field in fields(Claim)}):
        raise ClaimError(f"{where}: unknown {', '.join(unknown)}; a verdict comes from `holds` and `partly`")
    if missing := [name for name in ("number", "quote", "source", "lesson") if not entry.get(name)]:
        raise ClaimError(f"{where}: {missing[0]} is missing")
    claim = Claim(**entry)
    if claim.source not in SOURCES:
        raise ClaimError(f"{where}: source is one of {', '.join(SOURCES)}")
    if sum(map(bool, (claim.holds, claim.undecided, claim.to_come))) != 1:
        raise ClaimError(f"{where}: it has `holds`, or says why it is `undecided`, or is `to_come`")
    if claim.holds and not ((claim.notebook and claim.section) or claim.command):
        raise ClaimError(
            f"{where}: say in which `section` of which `notebook` it runs, or by which `command`"
        )
    for rule in filter(None, (claim.holds, claim.partly, *_calls(where, claim.shows))):
        _check(where, rule)
    return claim


def _calls(where: str, shows: str) -> list[str]:
    try:
        return [field for _, field, _, _ in _Words().parse(shows) if field and "(" in field]
    except ValueError as error:
        raise ClaimError(f"{where}: shows {shows!r} is no text with fields: {error}") from None


def _check(where: str, rule: str) -> None:
    try:
        tree = ast.parse(rule, mode="eval")
    except SyntaxError as error:
        raise ClaimError(f"{where}: {rule!r} is no expression: {error.msg}") from None
    for node in ast.walk(tree):
        call = isinstance(node, ast.Call) and not (
            isinstance(node.func, ast.Name) and node.func.id in FUNCTIONS
        )
        if call or not isinstance(node, _ALLOWED):
            raise ClaimError(f"{where}: {rule!r} does more than compare results")
    if not {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)} - FUNCTIONS.keys():
        raise ClaimError(f"{where}: {rule!r} is decided by no result, so it could not fail")


def _misplaced(claim: Claim, root: Path) -> Iterator[str]:
    source = root / "notebooks" / "source" / f"{claim.notebook}.py"
    if not source.is_file():
        yield f"there is no notebook {claim.notebook}"
        return
    text = source.read_text(encoding="utf-8")
    if claim.section and f"# ## {claim.section}\n" not in text:
        yield f"{claim.notebook} has no section {claim.section!r}"
    for name in sorted(claim.results() - results_set(text, root)) if not claim.record else ():
        yield f'no cell of {claim.notebook} sets measured["{name}"]'
