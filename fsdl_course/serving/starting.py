"""How hard a serving library is to start with: what one writes, downloads and waits for, beside each other

Counted from its station's folder, the measured sizes of the stations and the record of the comparison.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from fsdl_course.serving.compare import ServingRow
from fsdl_deploy.measuring.table import Table
from fsdl_deploy.paths import ROOT
from fsdl_deploy.running import stations

WRITTEN = (".py", ".toml", ".pbtxt", ".yaml", ".json", ".properties")
SIZES = Path("infra") / "sizes.json"


@dataclass(frozen=True)
class Start:
    """Lines that we wrote, their files, MiB on disk, seconds until it is ready, MiB of memory under load."""

    lines: int
    files: int
    disk: float
    seconds: float
    memory: float


def start(
    name: str, title: str, rows: list[ServingRow], root: Path = ROOT, *, without: tuple[str, ...] = ()
) -> Start:
    """What the library of the station ``name`` asks of a beginner; ``title``: its name in the record.

    ``without``: files and folders that another lesson needs, by name.

    Lines without text do not count, nor do comments. Raises LookupError where the record or the sizes lack
    it.
    """
    folder = stations.station(name).folder
    written = [file for file in sorted(folder.rglob("*")) if file.suffix in WRITTEN and file.is_file()]
    written = [file for file in written if not set(without) & set(file.relative_to(folder).parts)]
    texts = [file.read_text(encoding="utf-8").splitlines() for file in written]
    lines = sum(bool(line.strip()) and line.strip()[0] not in "#/" for text in texts for line in text)
    size = json.loads((root / SIZES).read_text(encoding="utf-8"))["environments"][name]["size"]
    loads = [row for row in rows if row.library == title]
    if not loads:
        raise LookupError(f"{title} is not in the record: run fsdl-course bench serving --only {name}")
    return Start(lines, len(written), size / 2**20, loads[0].start_seconds, max(row.memory for row in loads))


def compared(triton: Start, ray: Start) -> dict[str, float]:
    """Both starts by name, as the lecture's sentences on the two ask for them."""
    return {
        "triton_lines": triton.lines,
        "triton_files": triton.files,
        "triton_disk": triton.disk,
        "triton_seconds": triton.seconds,
        "ray_lines": ray.lines,
        "ray_files": ray.files,
        "ray_disk": ray.disk,
        "ray_seconds": ray.seconds,
    }


def table(starts: Mapping[str, Start]) -> Table:
    """A row for each library, by its title; space on the disk and memory in MiB."""
    header = ["library", "lines written", "files", "MiB on disk", "seconds to start", "MiB of memory"]
    rows = [
        [title, start.lines, start.files, start.disk, start.seconds, start.memory]
        for title, start in starts.items()
    ]
    return Table(header, *rows, formats=["", "", "", ",.0f", ".1f", ",.0f"])
