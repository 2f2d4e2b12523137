"""Whether installed files are what was fetched: whoever edits one edits the store; and which torch came.

Only files younger than their package are hashed, so that looking at a whole environment takes a moment.
Standard library only.
"""

import base64
import csv
import hashlib
import runpy
from collections.abc import Iterator
from pathlib import Path


def changed(site: Path) -> list[str]:
    """Names of the packages in ``site`` of which a file is gone, or is a link and not what its wheel had."""
    return sorted({_name(about) for about in site.glob("*.dist-info") if next(_changed_files(about), None)})


def _name(about: Path) -> str:
    return about.name.partition("-")[0]


def _changed_files(about: Path) -> Iterator[Path]:
    record, reference = about / "RECORD", about / "METADATA"
    if not record.is_file() or not reference.is_file():
        return
    unpacked = reference.stat().st_mtime_ns
    with record.open(encoding="utf-8", newline="") as lines:
        for path, digest, *_ in csv.reader(lines):
            file = about.parent / path
            if digest.startswith("sha256=") and not _as_recorded(
                file, digest.removeprefix("sha256="), unpacked
            ):
                yield file


def _as_recorded(file: Path, digest: str, unpacked: int) -> bool:
    try:
        status = file.stat()
        if status.st_nlink == 1 or status.st_mtime_ns <= unpacked:
            return True
        content = hashlib.sha256(file.read_bytes()).digest()
    except OSError:  # right after an installation: the store has lost it
        return False
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode() == digest


def torch_warnings(site: Path) -> list[str]:
    """Sentences about CUDA, which the course does not need; reads files, imports no torch."""
    warnings = []
    try:
        cuda = runpy.run_path(str(site / "torch" / "version.py")).get("cuda")
    except Exception as error:  # whatever is wrong with that file, the sentence is the same
        return [f"problem: torch cannot be read ({error}): run the same command again"]
    if cuda:
        warnings.append(f"note: this torch is built for CUDA {cuda}; the course needs the CPU only")
    nvidia = sorted(path.name.split("-")[0] for path in site.glob("nvidia_*.dist-info"))
    if nvidia:
        warnings.append(f"note: {len(nvidia)} CUDA packages came along ({nvidia[0]}, …)")
    return warnings
