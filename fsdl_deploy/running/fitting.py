"""Which machines a tool fits: what a station asks of the system, of the processor, and of Python.

Standard library only, and nothing is started: the set-up asks before anything is installed.
"""

import platform
import re
import sys

SYSTEMS = {
    "linux-x86_64": "Linux x86-64",
    "linux-aarch64": "Linux arm64",
    "macos-arm64": "macOS arm64",
    "windows-x86_64": "Windows x86-64",
}
_PROCESSORS = {"amd64": "x86_64", "x64": "x86_64", "arm64": "aarch64"}
_COMPARED = {
    ">=": lambda ours, asked: ours >= asked,
    "<=": lambda ours, asked: ours <= asked,
    ">": lambda ours, asked: ours > asked,
    "<": lambda ours, asked: ours < asked,
    "==": lambda ours, asked: ours == asked,
    "!=": lambda ours, asked: ours != asked,
}
_MINORS = range(8, 41)  # of Python 3: more than the words for a specifier ever need


def system(name: str | None = None, processor: str | None = None) -> str:
    """This machine as one of ``SYSTEMS``: ``linux-x86_64``. Any other gets a name that is none of them."""
    name, processor = name or platform.system(), (processor or platform.machine()).lower()
    name = {"Darwin": "macos"}.get(name, name.lower())
    processor = _PROCESSORS.get(processor, processor)
    return f"{name}-{'arm64' if name == 'macos' and processor == 'aarch64' else processor}"


def allows(specifier: str, python: tuple[int, int] = sys.version_info[:2]) -> bool:
    """Whether ``>=3.11,<3.13`` allows a Python; "" allows all. ValueError for what is no such specifier."""
    return all(_COMPARED[sign](tuple(python), asked) for sign, asked in _parts(specifier))


def _parts(specifier: str) -> list[tuple[str, tuple[int, int]]]:
    parts = []
    for part in filter(None, map(str.strip, specifier.split(","))):
        match = re.fullmatch(r"(>=|<=|==|!=|>|<)\s*(\d+)\.(\d+)", part)
        if not match:
            raise ValueError(f"{part!r} is not like '>=3.11' or '<3.13'")
        parts.append((match[1], (int(match[2]), int(match[3]))))
    return parts


def pythons(specifier: str) -> str:
    """``>=3.11,<3.13`` in words: ``3.11 or 3.12``; ``>=3.12``: ``3.12 or newer``."""
    minors = [minor for minor in _MINORS if allows(specifier, (3, minor))]
    if minors and minors[-1] == _MINORS[-1]:
        return f"3.{minors[0]} or newer"
    if minors and minors[0] == _MINORS[0]:
        return f"3.{minors[-1]} or older"
    return listed([f"3.{minor}" for minor in minors], "or")


def listed(words: list[str], last: str = "and") -> str:
    """``a, b and c``."""
    return f" {last} ".join(filter(None, [", ".join(words[:-1]), *words[-1:]]))


def misplaced(title: str, systems: tuple[str, ...], here: str | None = None) -> str | None:
    """A sentence where a tool does not run on this system and processor; None where it does."""
    if (here or system()) in systems:
        return None
    return (
        f"{title} runs on {listed([SYSTEMS[name] for name in systems])} only: its notebook is skipped here."
    )


def wrong_python(
    title: str, specifier: str, name: str, torch: bool, python: tuple[int, int] = sys.version_info[:2]
) -> str | None:
    """A sentence where a tool does not run on this Python; None where it does."""
    if allows(specifier, python):
        return None
    needed, ours = pythons(specifier), f"{python[0]}.{python[1]}"
    if torch:
        return (
            f"{title} needs Python {needed} and shares the torch of the course, which is set up with {ours}: "
            f"its notebook is skipped here, and runs where the course is set up with Python {needed}."
        )
    return (
        f"{title} needs Python {needed}, and the course runs on {ours}: its notebook is skipped here, until "
        f"`python tasks.py station {name} --fetch-python` has uv fetch that Python."
    )
