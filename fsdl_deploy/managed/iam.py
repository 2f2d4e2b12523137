"""Who may do what on AWS: identity policies as data, and the decision on a call, by AWS's own rules

An explicit deny decides; else one statement that allows; else the call is not allowed: AWS's policy
evaluation logic, for the policies of a user or a role in one account. Not here: policies of resources and
organisations, boundaries, sessions. What this module does not know is refused, never guessed.
AWS: IAM User Guide, "Policy evaluation logic" and "IAM JSON policy elements".
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from fsdl_deploy.managed import iam_conditions
from fsdl_deploy.managed.iam_patterns import (
    PolicyError,
    arn_matches,
    check_variables,
    filled,
    glob,
    without_variables,
)

ALLOWED, DENIED, NOT_ALLOWED = "allowed", "denied by a statement", "allowed by no statement"
_PAIRS = (("Action", "NotAction"), ("Resource", "NotResource"))
_KNOWN = {"Sid", "Effect", "Condition", *(name for pair in _PAIRS for name in pair)}


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
    whole = [_statement(entry) for entry in entries]
    names = [entry["Sid"] for entry in entries if entry.get("Sid")]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise PolicyError(f"Sid: {twice[0]} is there twice")
    return whole


def _statement(entry: object) -> dict:
    if not isinstance(entry, dict):
        raise PolicyError(f"a statement is an object, not {entry!r}")
    if unknown := sorted(map(str, entry.keys() - _KNOWN)):
        raise PolicyError(f"a statement of an identity policy has no {unknown[0]}")
    if entry.get("Effect") not in ("Allow", "Deny"):
        raise PolicyError(f'Effect is "Allow" or "Deny", not {entry.get("Effect")!r}')
    if not isinstance(entry.get("Sid", ""), str) or not re.fullmatch("[A-Za-z0-9]*", entry.get("Sid", "")):
        raise PolicyError(f"Sid: {entry['Sid']!r} has more than letters and digits")
    whole = {"Effect": entry["Effect"], "Condition": iam_conditions.parsed(entry.get("Condition", {}))}
    for pair in _PAIRS:
        names = [name for name in pair if name in entry]
        if len(names) != 1:
            raise PolicyError(f"a statement has either {pair[0]} or {pair[1]}")
        whole[names[0]] = _texts(entry[names[0]], names[0])
    for action in whole.get("Action", []) + whole.get("NotAction", []):
        if not re.fullmatch(r"\*|[A-Za-z0-9-]+:[A-Za-z0-9*?]+", action):
            raise PolicyError(f"Action: {action!r} is not SERVICE:NAME, such as s3:GetObject")
    for resource in whole.get("Resource", []) + whole.get("NotResource", []):
        check_variables(resource, "Resource")
        bare = without_variables(resource)
        whole_arn = bare.count(":") >= 5 or bare.endswith("*")
        if resource != "*" and not (whole_arn and re.match(r"arn:[^:]+:[^:*?$]+:", resource)):
            raise PolicyError(f"Resource: {resource!r} is neither * nor an ARN with a service and six parts")
        before, variable, _ = resource.partition("${")
        if variable and before.count(":") < 5:
            raise PolicyError(f"Resource: {resource!r} has a variable before the fifth colon of the ARN")
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
        return arn_matches(filled(pattern, call.context), call.resource)

    for (named, others), matches in zip(_PAIRS, (action, resource), strict=True):
        if named in statement and not any(map(matches, statement[named])):
            return False
        if others in statement and any(map(matches, statement[others])):
            return False
    return iam_conditions.fulfilled(statement["Condition"], call.context)
