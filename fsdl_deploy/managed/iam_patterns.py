"""Patterns of policies: asterisks, question marks, ARNs, and variables such as ``${aws:username}``

Knows no statements and no conditions. AWS: IAM User Guide, "IAM policy elements: Variables and tags".
"""

import re
from collections.abc import Mapping


class PolicyError(ValueError):
    """A policy that AWS would not take, or with something that is not known here; the message says what."""


_VARIABLE = re.compile(r"\$\{([^}]*)\}")
_NAME = re.compile(r"([A-Za-z0-9-]+:[A-Za-z0-9_.:/=+@-]+)(?:\s*,\s*'([^']*)')?")
# What a variable put in is compared letter by letter: its marks travel as letters that nobody writes.
_MARKS = {"*": "\ue000", "?": "\ue001", "$": "\ue002", ":": "\ue003"}
_LETTERS = {mark: letter for letter, mark in _MARKS.items()}
_NOWHERE = "\ue004"  # of a variable without a value: nothing is equal to it


def check_variables(pattern: str, place: str) -> None:
    """Raises PolicyError for a ``${…}`` that is no variable."""
    names = _VARIABLE.findall(pattern)
    if "${" in _VARIABLE.sub("", pattern):
        raise PolicyError(f"{place}: {pattern!r} has a ${{ without its }}")
    for name in names:
        if name not in ("*", "?", "$") and not _NAME.fullmatch(name):
            raise PolicyError(
                f"{place}: ${{{name}}} is no variable; write ${{KEY}}, ${{KEY, 'default'}}, "
                "${*}, ${?} or ${$}"
            )


def without_variables(pattern: str) -> str:
    """The pattern with a letter for each variable."""
    return _VARIABLE.sub("x", pattern)


def filled(pattern: str, context: Mapping[str, object]) -> str:
    """The pattern with the values of its variables, their defaults, or what matches nothing.

    Raises PolicyError for a value that has a ``*`` or ``?`` or is a list: AWS does not say how it takes them.
    """

    def value(variable: re.Match) -> str:
        if variable[1] in _MARKS:
            return _MARKS[variable[1]]
        name, default = _NAME.fullmatch(variable[1]).groups()
        known = valued(context, name)
        if known is None:
            return _NOWHERE if default is None else _literal(default)
        if isinstance(known, list | tuple | set | dict) or re.search(r"[*?]", plain(known)):
            raise PolicyError(f"the call's {name} is {known!r}: how AWS puts that in is not known here")
        return _literal(plain(known))

    return _VARIABLE.sub(value, pattern)


def _literal(text: str) -> str:
    return "".join(_MARKS.get(letter, letter) for letter in text)


def letters(pattern: str) -> str:
    """What a filled pattern says where no mark counts, as in ``StringEquals``."""
    return "".join(_LETTERS.get(letter, letter) for letter in pattern)


def valued(context: Mapping[str, object], name: str) -> object:
    """What the call says of a key, whose case does not matter; None without. Raises PolicyError for two."""
    values = [value for key, value in context.items() if key.lower() == name.lower()]
    if len(values) > 1:
        raise PolicyError(f"the call says {name} twice, in another case")
    return values[0] if values else None


def plain(value: object) -> str:
    """As text; true and false as JSON writes them."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def glob(pattern: str, text: str) -> bool:
    """``*`` stands for any characters, also none, ``?`` for one."""
    parts = (
        ".*" if letter == "*" else "." if letter == "?" else re.escape(_LETTERS.get(letter, letter))
        for letter in pattern
    )  # fmt: skip
    return re.fullmatch("".join(parts), text, re.DOTALL) is not None


def arn_matches(pattern: str, arn: str) -> bool:
    """Part by part, between the colons; a ``*`` at the end of a shorter pattern stands for all that follows.

    ``*`` as the resource of a call, for an action that knows no resources, is matched by ``*`` only.
    """
    if pattern == "*" or arn == "*":
        return pattern == "*"
    parts, there = pattern.split(":", 5), arn.split(":", 5)
    if len(parts) < 6 and parts[-1].endswith("*"):
        parts += ["*"] * (6 - len(parts))
    return len(parts) == len(there) and all(map(glob, parts, there))
