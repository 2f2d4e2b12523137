"""promtool, Prometheus' own examiner: are rules written right, and which alerts do made-up series raise?

Nothing has to run for it and nobody waits: an hour of counters is a line of text. Knows no rule of ours.
"""

import re
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

from fsdl_deploy.monitoring.prometheus import FOLDER, program

FIRING = 'count by (alertname) (ALERTS{alertstate="firing"})'
_GOT = re.compile(r"time: (\S+),\n\s+exp: .*\n\s+got: (.*)")
_ALERT = re.compile(r'alertname="([^"]*)"')


@dataclass(frozen=True)
class Verdict:
    """Whether promtool was content, and what it wrote."""

    ok: bool
    text: str

    def __bool__(self) -> bool:
        return self.ok


def check_rules(*files: Path) -> Verdict:
    """Whether these files are rules, in PromQL that can be read."""
    return _run("check", "rules", *files)


def check_config(file: Path) -> Verdict:
    """Whether a configuration and the rules that it names can be read."""
    return _run("check", "config", file)


def test_rules(*files: Path) -> Verdict:
    """Whether rules do on made-up series what these files of tests expect."""
    return _run("test", "rules", *files)


test_rules.__test__ = False  # pytest would take it for a test of its own


def tests() -> list[Path]:
    """The course's tests of its rules."""
    return sorted((FOLDER / "tests").glob("*.yml"))


def firing(
    series: Mapping[str, str],
    times: Sequence[str],
    rules: Sequence[Path],
    interval: str = "1m",
    every: str = "1m",
) -> dict[str, list[str]]:
    """The alerts that fire at each of these times (``"95m"``, ``"6h"``), with series as promtool writes them:
    ``{'reader_requests_total{path="/read", status="500"}': "0x60 0+30x90"}``, a value each ``interval``.
    The rules are looked at ``every`` so long, from the beginning.

    Raises ValueError where promtool cannot read something, with its reason.
    """
    questions = [{"expr": FIRING, "eval_time": time, "exp_samples": [_NOBODY]} for time in times]
    inputs = [{"series": name, "values": values} for name, values in series.items()]
    document = {
        "rule_files": [str(Path(file).resolve()) for file in rules],
        "evaluation_interval": every,
        "tests": [{"interval": interval, "input_series": inputs, "promql_expr_test": questions}],
    }
    with tempfile.TemporaryDirectory(prefix="fsdl-promtool-") as folder:
        file = Path(folder) / "test.yml"
        file.write_text(yaml.safe_dump(document), encoding="utf-8")
        text = test_rules(file).text
    answers = [sorted(_ALERT.findall(got)) for _, got in _GOT.findall(text)]
    if len(answers) != len(times):
        raise ValueError(f"promtool: {text.partition('FAILED:')[2].strip() or text}")
    return dict(zip(times, answers, strict=True))


_NOBODY = {"labels": '{alertname="nobody"}', "value": 1}  # expected and never there: so promtool says what is


def _run(*words: str | Path) -> Verdict:
    command = [str(word) for word in (program("promtool"), *words)]
    process = subprocess.run(command, capture_output=True, text=True, timeout=300)
    return Verdict(process.returncode == 0, (process.stdout + process.stderr).strip())
