"""Who may do what on AWS: identity policies as data, and the decision on a call, by AWS's own rules

An explicit deny decides; else one statement that allows; else the call is not allowed: AWS's policy
evaluation logic, for the policies of a user or a role in one account. Not here: policies of resources and
organisations, boundaries, sessions. What this module does not know is refused, never guessed.
AWS: IAM User Guide, "Policy evaluation logic" and "IAM JSON policy elements".
"""

import ipaddress
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

ALLOWED, DENIED, NOT_ALLOWED = "allowed", "denied by a statement", "allowed by no statement"
_PAIRS = (("Action", "NotAction"), ("Resource", "NotResource"))
_KNOWN = {"Sid", "Effect", "Condition", *(name for pair in _PAIRS for name in pair)}


class PolicyError(ValueError):
    """A policy that AWS would not take, or with something that is not known here; the message says what."""


@dataclass(frozen=True)
class AwsCall:
    """One call: ``sagemaker:CreateModel``, the ARN that it is about, and what a condition may ask for."""

    action: str
    resource: str = "*"
    context: Mapping[str, object] = field(default_factory=dict)


def decide(policies: Iterable[dict], call: AwsCall) -> str:
    """ALLOWED, DENIED or NOT_ALLOWED. Raises PolicyError, also for a statement that does not matter here."""
    policies = list(policies)
    effects = {
        statement["Effect"]
        for policy in policies
        for statement in statements(policy)
        if applies(statement, call)
    }
    if "Deny" in effects:
        return DENIED
    return ALLOWED if effects else NOT_ALLOWED


def statements(policy: dict) -> list[dict]:
    """The statements of a policy, each with lists where AWS also takes a single value. Raises PolicyError."""
    if not isinstance(policy, dict) or not policy.keys() <= {"Version", "Id", "Statement"}:
        raise PolicyError("a policy is an object with Version and Statement")
    if policy.get("Version") != "2012-10-17":
        raise PolicyError('a policy says "Version": "2012-10-17"; without it AWS takes the rules of 2008')
    entries = policy.get("Statement")
    entries = [entries] if isinstance(entries, dict) else entries
    if not isinstance(entries, list) or not entries:
        raise PolicyError("Statement must be a list with at least one statement")
    return [_statement(entry) for entry in entries]


def _statement(entry: object) -> dict:
    if not isinstance(entry, dict):
        raise PolicyError(f"a statement is an object, not {entry!r}")
    if unknown := sorted(map(str, entry.keys() - _KNOWN)):
        raise PolicyError(f"a statement of an identity policy has no {unknown[0]}")
    if entry.get("Effect") not in ("Allow", "Deny"):
        raise PolicyError(f'Effect is "Allow" or "Deny", not {entry.get("Effect")!r}')
    whole = {"Effect": entry["Effect"], "Condition": _conditions(entry.get("Condition", {}))}
    for pair in _PAIRS:
        names = [name for name in pair if name in entry]
        if len(names) != 1:
            raise PolicyError(f"a statement has either {pair[0]} or {pair[1]}")
        whole[names[0]] = _texts(entry[names[0]], names[0])
    for action in whole.get("Action", []) + whole.get("NotAction", []):
        if not re.fullmatch(r"\*|[A-Za-z0-9-]+:[A-Za-z0-9*?]+", action):
            raise PolicyError(f"Action: {action!r} is not SERVICE:NAME, such as s3:GetObject")
    for resource in whole.get("Resource", []) + whole.get("NotResource", []):
        whole_arn = resource.count(":") >= 5 or resource.endswith("*")
        if resource != "*" and not (whole_arn and re.match(r"arn:[^:]+:[^:*?]+:", resource)):
            raise PolicyError(f"Resource: {resource!r} is neither * nor an ARN with a service and six parts")
    return whole


def _texts(value: object, place: str) -> list[str]:
    values = value if isinstance(value, list) else [value]
    if not values or not all(isinstance(item, str) for item in values):
        raise PolicyError(f"{place} must be a text or a list of texts, not {value!r}")
    return values


def applies(statement: dict, call: AwsCall) -> bool:
    """Whether a statement (of ``statements``) is about the call: action, resource and all conditions."""

    def action(pattern: str) -> bool:
        return glob(pattern.lower(), call.action.lower())  # its case does not matter; that of an ARN does

    def resource(pattern: str) -> bool:
        return arn_matches(_filled(pattern, call), call.resource)

    for (named, others), matches in zip(_PAIRS, (action, resource), strict=True):
        if named in statement and not any(map(matches, statement[named])):
            return False
        if others in statement and any(map(matches, statement[others])):
            return False
    return all(
        _condition(operator, call.context, key, [_filled(value, call) for value in values])
        for operator, keys in statement["Condition"].items()
        for key, values in keys.items()
    )


def glob(pattern: str, text: str) -> bool:
    """``*`` stands for any characters, also none, ``?`` for one."""
    parts = (".*" if letter == "*" else "." if letter == "?" else re.escape(letter) for letter in pattern)
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


def _filled(pattern: str, call: AwsCall) -> str:
    """Variables such as ``${aws:username}`` with their values; without a value nothing matches."""

    def value(variable: re.Match) -> str:
        known = call.context.get(variable[1])
        return known if isinstance(known, str) else "\0"

    return re.sub(r"\$\{([^}]+)\}", value, pattern)


def _ip(pattern: str, text: str) -> bool:
    try:
        return ipaddress.ip_address(text) in ipaddress.ip_network(pattern, strict=False)
    except ValueError:
        return False


def _compared(compare: Callable[[float, float], bool]) -> Callable[[str, str], bool]:
    def holds(pattern: str, text: str) -> bool:
        try:
            return compare(float(text), float(pattern))
        except ValueError:
            return False

    return holds


# (policy's value, call's value) -> whether they match. Each name that is negated below has its own opposite.
_OPERATORS: dict[str, Callable[[str, str], bool]] = {
    "StringEquals": lambda pattern, text: pattern == text,
    "StringEqualsIgnoreCase": lambda pattern, text: pattern.lower() == text.lower(),
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


def _conditions(conditions: object) -> dict[str, dict[str, list[str]]]:
    if not isinstance(conditions, dict) or not all(isinstance(keys, dict) for keys in conditions.values()):
        raise PolicyError("Condition is an object: operator -> key -> values")
    for operator in conditions:
        bare = operator.removesuffix("IfExists")
        if operator != "Null" and bare not in _OPERATORS and bare not in _NEGATED:
            raise PolicyError(f"Condition: the operator {operator} is not known here")
    return {
        operator: {key: [_plain(value) for value in (values if isinstance(values, list) else [values])]
                   for key, values in keys.items()}
        for operator, keys in conditions.items()
    }  # fmt: skip


def _plain(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _condition(operator: str, context: Mapping[str, object], key: str, values: list[str]) -> bool:
    """One key of one operator: one of the values must match; with a negated operator none may.

    A key that the call lacks matches nothing: it fulfils negated operators, and those that end in IfExists.
    """
    there = {name.lower(): value for name, value in context.items()}.get(key.lower())
    if operator == "Null":
        return any((there is None) == (value.lower() == "true") for value in values)
    bare = operator.removesuffix("IfExists")
    if there is None:
        return bare in _NEGATED or bare != operator
    if isinstance(there, list | tuple | set | dict):
        raise PolicyError(
            f"the call has several values of {key}: ForAnyValue and ForAllValues are not known here"
        )
    matches = any(_OPERATORS[_NEGATED.get(bare, bare)](value, _plain(there)) for value in values)
    return matches != (bare in _NEGATED)
