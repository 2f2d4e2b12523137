"""Conditions of policies: what a statement asks of a call's context, operator by operator

AWS: IAM User Guide, "IAM JSON policy elements: Condition operators". Operators of dates and of bytes,
and those for keys with several values, are not known here and refused.
"""

import ipaddress
import re
from collections.abc import Callable, Mapping

from fsdl_deploy.managed.iam_patterns import (
    PolicyError,
    arn_matches,
    check_variables,
    filled,
    glob,
    letters,
    plain,
    valued,
)

_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?")


def _ip(pattern: str, text: str) -> bool:
    try:
        return ipaddress.ip_address(text) in ipaddress.ip_network(pattern, strict=False)
    except ValueError:
        return False


def _compared(compare: Callable[[float, float], bool]) -> Callable[[str, str], bool]:
    return lambda limit, text: bool(_NUMBER.fullmatch(text)) and compare(float(text), float(limit))


# (policy's value, call's value) -> whether they match. Each name that is negated below has its own opposite.
_OPERATORS: dict[str, Callable[[str, str], bool]] = {
    "StringEquals": lambda pattern, text: letters(pattern) == text,
    "StringEqualsIgnoreCase": lambda pattern, text: letters(pattern).lower() == text.lower(),
    "StringLike": glob,
    "ArnEquals": arn_matches,
    "ArnLike": arn_matches,
    "Bool": lambda pattern, text: pattern.lower() == text.lower(),
    "IpAddress": _ip,
    "NumericEquals": _compared(lambda number, limit: number == limit),
    "NumericLessThan": _compared(lambda number, limit: number < limit),
    "NumericLessThanEquals": _compared(lambda number, limit: number <= limit),
    "NumericGreaterThan": _compared(lambda number, limit: number > limit),
    "NumericGreaterThanEquals": _compared(lambda number, limit: number >= limit),
}
_NEGATED = {
    "StringNotEquals": "StringEquals", "StringNotEqualsIgnoreCase": "StringEqualsIgnoreCase",
    "StringNotLike": "StringLike", "ArnNotEquals": "ArnEquals", "ArnNotLike": "ArnLike",
    "NotIpAddress": "IpAddress", "NumericNotEquals": "NumericEquals",
}  # fmt: skip


def parsed(conditions: object) -> dict[str, dict[str, list[str]]]:
    """Operator -> key -> values, each value a text. Raises PolicyError for what AWS would not take."""
    if not isinstance(conditions, dict) or not all(isinstance(keys, dict) for keys in conditions.values()):
        raise PolicyError("Condition is an object: operator -> key -> values")
    for operator, keys in conditions.items():
        bare = operator.removesuffix("IfExists")
        if operator != "Null" and bare not in _OPERATORS and bare not in _NEGATED:
            raise PolicyError(f"Condition: the operator {operator} is not known here")
        for key in keys:
            if not re.fullmatch(r"[A-Za-z0-9-]+:\S+", key):
                raise PolicyError(f"Condition: {key!r} is no key, such as aws:SourceIp")
    return {
        operator: {key: _values(operator, key, values) for key, values in keys.items()}
        for operator, keys in conditions.items()
    }


def _values(operator: str, key: str, values: object) -> list[str]:
    values = values if isinstance(values, list) else [values]
    place = f"Condition: {operator} of {key}"
    if not values or not all(isinstance(value, str | bool | int | float) for value in values):
        raise PolicyError(f"{place}: a text or a list of texts is compared, not {values!r}")
    texts = [plain(value) for value in values]
    for text in texts:
        _check(operator.removesuffix("IfExists"), text, place)
    return texts


def _check(operator: str, text: str, place: str) -> None:
    """Raises PolicyError for a value that the operator cannot compare."""
    kind = _NEGATED.get(operator, operator)
    if kind in ("Bool", "Null") and text.lower() not in ("true", "false"):
        raise PolicyError(f"{place}: the value is true or false, not {text!r}")
    if kind.startswith("Numeric") and not _NUMBER.fullmatch(text):
        raise PolicyError(f"{place}: {text!r} is no number")
    if kind == "IpAddress":
        _check_network(text, place)
    if kind.startswith(("String", "Arn")):
        check_variables(text, place)
    if kind.startswith("Arn") and text != "*" and not text.startswith("arn:"):
        raise PolicyError(f"{place}: {text!r} is no ARN")


def _check_network(text: str, place: str) -> None:
    try:
        if re.fullmatch(r"[0-9A-Fa-f.:]+(/\d+)?", text):
            ipaddress.ip_network(text, strict=False)
            return
    except ValueError:
        pass
    raise PolicyError(f"{place}: {text!r} is no address or block of them, such as 192.0.2.0/24")


def fulfilled(conditions: Mapping[str, Mapping[str, list[str]]], context: Mapping[str, object]) -> bool:
    """Whether all conditions (of ``parsed``) are met. Raises PolicyError for a key with several values."""
    return all(
        _met(operator, key, values, context)
        for operator, keys in conditions.items()
        for key, values in keys.items()
    )


def _met(operator: str, key: str, values: list[str], context: Mapping[str, object]) -> bool:
    """One key of one operator: one of the values must match; with a negated operator none may.

    A key that the call lacks matches nothing: it fulfils negated operators, and those that end in IfExists.
    """
    there = valued(context, key)
    if operator == "Null":
        return any((there is None) == (value.lower() == "true") for value in values)
    bare = operator.removesuffix("IfExists")
    if there is None:
        return bare in _NEGATED or bare != operator
    if isinstance(there, list | tuple | set | dict):
        raise PolicyError(
            f"the call has several values of {key}: ForAnyValue and ForAllValues are not known here"
        )
    compare = _OPERATORS[_NEGATED.get(bare, bare)]
    return any(compare(filled(value, context), plain(there)) for value in values) != (bare in _NEGATED)
