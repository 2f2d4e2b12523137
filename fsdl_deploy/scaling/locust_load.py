"""Locust: a service loaded from outside, by a program of its own whose users are written in Python

Our load meter (``measuring.load``) is a few threads in this process. Locust is what teams use: its users are
greenlets in one process or on many machines, and it ends with a report. ``infra/scaling/locust/users.py``
says what a user does. Knows nothing of who answers.
"""

import csv
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from fsdl_deploy.running import stations
from fsdl_deploy.running.own_folder import own_folder
from fsdl_deploy.running.watched import Watched

STATION = "locust"


class LocustError(RuntimeError):
    """Locust did not run to its end; the message says why."""


@dataclass(frozen=True)
class Report:
    """What Locust has counted. Times in ms, which it rounds to two digits; ``text``: its tables."""

    requests: int
    failures: int
    rate: float
    p50: float
    p99: float
    text: str

    def __str__(self) -> str:
        return self.text


def locust(url: str, body: bytes, users: int, seconds: int) -> Report:
    """``users`` who POST ``body`` to ``url`` again and again, for so many whole seconds.

    Raises StationError where the station is not built, LocustError if Locust did not run or asked nothing.
    """
    for name, number in (("users", users), ("seconds", seconds)):
        if not isinstance(number, int) or number < 1:
            raise ValueError(f"{name} must be a whole number from 1 up, not {number!r}")
    station, parts = stations.station(STATION), urlsplit(url)
    with own_folder("locust") as folder:
        card, prefix = Path(folder) / "card.json", Path(folder) / "run"
        card.write_bytes(body)
        command = [station.python, "-m", "locust", "-f", station.folder / "users.py", "--headless"]
        command += ["--host", f"{parts.scheme}://{parts.netloc}", "--csv", prefix, "--only-summary"]
        command += ["--users", str(users), "--spawn-rate", str(users), "--run-time", f"{seconds}s"]
        # Settings of one's own for Locust would change what is measured.
        environ = {name: value for name, value in os.environ.items() if not name.startswith("LOCUST_")}
        environ |= {"CARD": str(card), "CARD_PATH": parts.path or "/", "HOME": folder, "USERPROFILE": folder}
        story = _run(command, environ, folder, seconds + 120)
        stats = Path(f"{prefix}_stats.csv")
        rows = list(csv.DictReader(stats.open(encoding="utf-8"))) if stats.is_file() else []
    total = next((row for row in rows if row["Name"] == "Aggregated"), None)
    if total is None or not int(total["Request Count"]):
        lines = [line for line in story.splitlines() if line[:1].strip() and "/INFO/" not in line]
        ends = ("Traceback", "Exception ignored", "RuntimeError: greenlet")  # of gevent, after Locust's word
        lines = [line for line in lines if not line.startswith(ends)]
        raise LocustError(f"Locust asked nothing of {url}: {lines[-1] if lines else 'it wrote nothing'}")
    return Report(
        int(total["Request Count"]),
        int(total["Failure Count"]),
        float(total["Requests/s"]),
        float(total["50%"]),
        float(total["99%"]),
        _tables(story),
    )


def _run(command: Sequence[str | Path], environ: dict[str, str], folder: str, longest: float) -> str:
    """What a program writes until it ends; it ends with this process, too. LocustError if it does not end."""
    deadline = time.monotonic() + longest
    program = Watched([str(word) for word in command], environ, folder, grace=2)
    try:
        while program.running:
            if time.monotonic() > deadline:
                raise LocustError(f"Locust did not end by itself, {longest:.0f} s after its start")
            time.sleep(0.05)
        return program.log()
    finally:
        program.stop()


def _tables(story: str) -> str:
    """The tables at the end of what Locust says."""
    lines = [line for line in story.splitlines() if "/INFO/" not in line]
    begin = next((number for number, line in enumerate(lines) if line.startswith("Type ")), 0)
    return "\n".join(line.rstrip() for line in lines[begin:]).strip()
