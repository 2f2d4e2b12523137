"""The part of the contract that keeps measured figures out of prose, but for those filled in from a record.

What was measured is not told from what was chosen by its look, so each other kind of figure shows by its form
what it is: a setting, and arithmetic, is code, `0.9`; the lecture and other people are quoted in italics or
quotation marks, or their figure is the text of a link to where it stands.

Not seen are numbers written as words, whole numbers without a sign, a unit or a count of cards beside them,
and a figure dressed up as one of the forms above. Knows nothing of notebooks, sections or files.
"""

import re
from collections.abc import Iterator

from fsdl_course.notebooks.quoting import ALMOST, FILLED, outside_code

NUMBER = r"(?<![\w.,])\d[\d,]*(?:\.\d+)?"
NO_FIGURE = (
    FILLED,
    re.compile(r"<code>.*?</code>", re.DOTALL),
    re.compile(r"!?\[[^\]]*\]\(<?https?://[^)]*\)|https?://\S+"),
    re.compile(r"\]\([^)]*\)"),
    re.compile(r'"(?:[^"\s]+\s+){2,}[^"\s]+"|“(?:[^”\s]+\s+){2,}[^”\s]+”'),
    re.compile(r"(?<![*\w])\*(?:[^*\s]+\s+){2,}[^*\s]+\*(?![*\w])"),  # of three words or more: a quotation
    re.compile(r"\bversions?\s+\d+(?:\.\d+)*", re.IGNORECASE),
)
COUNTED = r"(?:cards?|readings?|digits?|answers?|calls?|requests?)"
JUDGED = r"(?:fewer|more|less|fixed|broken|misread|wrong|wrongly|right|correct|correctly|better|worse)"
CHANGED = r"(?:fixed|fixes|broke|broken|breaks|misread|misreads|lost|loses)"
MEASURED = (
    re.compile(rf"{NUMBER}\s*(?:%|per\s?cent\b|percentage)"),
    re.compile(rf"{NUMBER}\s*×(?!\s*\d)|×\s*{NUMBER}(?<=\.\d)"),
    re.compile(rf"{NUMBER}\s+times\s+(?:as|faster|slower|quicker|larger|smaller|cheaper|more|less|fewer)\b"),
    re.compile(r"(?<![\w.])\d+\.\d+(?!\.?\w)"),
    re.compile(rf"\bfactors?\s+of\s+(?:about\s+)?{NUMBER}"),
    re.compile(
        rf"{NUMBER}\s+(?:{COUNTED}\s+)?(?:out\s+)?of\s+(?:(?:the|those|these|same|all|our)\s+)*{NUMBER}(?!\w)"
    ),
    re.compile(rf"{NUMBER}\s+(?:{COUNTED}\s+)?(?:(?:were|are|is)\s+)?[*_]*{JUDGED}\b"),
    re.compile(rf"\b{CHANGED}\s+{NUMBER}\b"),
    re.compile(rf"{NUMBER}\s*(?:[kKMGT]i?B|bytes|kilobytes|megabytes|gigabytes)\b"),
    re.compile(rf"{NUMBER}\s*(?:ms|µs|ns|s|sec|seconds?|milliseconds?|microseconds?)\b"),
)
WHAT_TO_DO = (
    "write one of a record as its key, {{right(v2, typical):.1%}}, a setting or arithmetic as code, the "
    "lecture's as a quotation, and somebody else's as the text of a link"
)


def bare(text: str) -> Iterator[str]:
    """What is wrong with the figures in a cell of prose, a sentence for each."""
    prose = without_allowed(text)
    if left := ALMOST.search(prose):
        yield f"{left[0][:60]!r} is a key that is not filled in: import the notebook, or build it"
    spans = {match.span() for form in MEASURED for match in form.finditer(prose)}
    end = 0
    for start, stop in sorted(spans, key=lambda span: (span[0], -span[1])):
        if start >= end:
            yield f"the figure {' '.join(prose[start:stop].split())!r} stands bare in prose: {WHAT_TO_DO}"
        end = max(end, stop)


def without_allowed(text: str) -> str:
    """Prose without its code, quotations, links and filled-in figures: what may not be a measured figure."""
    prose = outside_code(text)
    for form in NO_FIGURE:
        prose = form.sub(" ¤ ", prose)
    return prose
