"""Alert rules that cannot fire, and alerts that no test has seen fire: what promtool does not look for

To Prometheus a misspelled metric is a series that nobody has sent yet. So each series that a rule asks for is
looked up here in what the services export. Knows the text of ``/metrics``, not the services.
"""

import difflib
import json
import re
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

from fsdl_deploy.monitoring.prometheus import FOLDER
from fsdl_deploy.running import stations

ADDED = {"job", "instance"}  # the labels that Prometheus gives to every series it collects
Exported = Mapping[str, Mapping[str, set[str]]]
"""Series by name, the labels of each, and the values that each label has."""


@dataclass(frozen=True)
class Rule:
    """One rule of a file: an alert, or a recording that others build upon."""

    name: str
    expression: str
    alert: bool
    severity: str = ""


def files() -> list[Path]:
    """The course's files of rules."""
    return sorted((FOLDER / "rules").glob("*.yml"))


def rules(paths: Sequence[Path] | None = None) -> list[Rule]:
    """The rules in these files, by default the course's."""
    entries = []
    for path in files() if paths is None else paths:
        for group in yaml.safe_load(Path(path).read_text(encoding="utf-8"))["groups"]:
            entries += group["rules"]
    return [
        Rule(
            entry.get("alert") or entry["record"],
            " ".join(entry["expr"].split()),
            "alert" in entry,
            entry.get("labels", {}).get("severity", ""),
        )
        for entry in entries
    ]


def exported(*pages: str) -> Exported:
    """What these pages of ``/metrics`` hold, as Prometheus will store it."""
    from prometheus_client.parser import text_string_to_metric_families

    series: dict[str, dict[str, set[str]]] = {"up": {}, "ALERTS": {"alertname": set(), "alertstate": set()}}
    for page in pages:
        for family in text_string_to_metric_families(page):
            for sample in family.samples:
                labels = series.setdefault(sample.name, {})
                for name, value in sample.labels.items():
                    labels.setdefault(name, set()).add(value)
    return series


def asked(expressions: Sequence[str]) -> list[dict]:
    """Which series each expression asks for: see ``infra/monitoring/prometheus/selectors.py``.

    Raises NotBuilt without the station.
    """
    command = [str(stations.python("prometheus")), str(FOLDER / "selectors.py")]
    given = json.dumps(list(expressions))
    process = subprocess.run(command, input=given, capture_output=True, text=True, check=True, timeout=60)
    return json.loads(process.stdout)


def problems(known: Iterable[Rule], exported: Exported) -> list[str]:
    """A sentence for each thing that keeps one of these rules from ever giving an answer."""
    known = list(known)
    recorded = {rule.name for rule in known if not rule.alert}
    sentences: list[str] = []
    for rule, answer in zip(known, asked([rule.expression for rule in known]), strict=True):
        if "error" in answer:
            sentences.append(f"{rule.name}: {answer['error']}")
            continue
        for selector in answer["selectors"]:
            name = selector["name"]
            if name is None or name in recorded:
                continue
            if name not in exported:
                near = difflib.get_close_matches(name, [*exported, *recorded], 1)
                hint = f": is {near[0]} meant?" if near else ""
                sentences.append(f"{rule.name} asks for {name}, which nobody exports{hint}")
                continue
            sentences += [f"{rule.name}: {line}" for line in _labels(name, selector, exported[name])]
        sentences += [f"{rule.name}: {line}" for line in _quantiles(answer, exported)]
    return list(dict.fromkeys(sentences))


def _labels(name: str, selector: dict, labels: Mapping[str, set[str]]) -> Iterable[str]:
    """What is wrong with the conditions of one selector. One that an absent label meets is not."""
    for label, operator, value in selector["matchers"]:
        if label in ADDED or operator in ("!=", "!~") or (operator == "=" and not value):
            continue
        if label not in labels:
            yield f"{name} has no label {label}; it has {', '.join(sorted({*labels} | ADDED))}"
        elif not any(_fits(operator, value, there) for there in labels[label]):
            some = ", ".join(sorted(labels[label], key=_by_number)[:12])
            yield f'no {name} has {label}{operator}"{value}"; there are {some}'


def _fits(operator: str, value: str, there: str) -> bool:
    return value == there if operator == "=" else re.fullmatch(value, there) is not None


def _by_number(text: str) -> tuple[float, str]:
    try:
        return float(text), text
    except ValueError:
        return float("inf"), text


def _quantiles(answer: dict, exported: Exported) -> Iterable[str]:
    """A quantile is never above a histogram's highest bound, so a limit beyond that is never passed."""
    for comparison in answer["quantiles"]:
        bounds = [float(bound) for bound in exported.get(comparison["metric"], {}).get("le", ())]
        highest = max((bound for bound in bounds if bound != float("inf")), default=float("inf"))
        if comparison["operator"] in (">", ">=") and comparison["limit"] >= highest:
            yield f"a quantile of {comparison['metric']} is {highest:g} at most: is the unit wrong?"


def untested(known: Iterable[Rule], tests: Sequence[Path]) -> list[str]:
    """A sentence for each alert that no test expects to fire, and for each that all of them do."""
    moments: list[set[str]] = []
    for path in tests:
        for case in yaml.safe_load(Path(path).read_text(encoding="utf-8"))["tests"]:
            for question in case.get("promql_expr_test", ()):
                labels = " ".join(sample["labels"] for sample in question.get("exp_samples") or ())
                moments.append(set(re.findall(r'alertname="([^"]*)"', labels)))
            for question in case.get("alert_rule_test", ()):
                moments.append({question["alertname"]} if question.get("exp_alerts") else set())
    sentences = []
    for rule in known:
        if rule.alert and not any(rule.name in firing for firing in moments):
            sentences.append(f"{rule.name} fires in no test")
        elif rule.alert and rule.severity != "none" and all(rule.name in firing for firing in moments):
            sentences.append(f"{rule.name} is silent in no test")
    return sentences
