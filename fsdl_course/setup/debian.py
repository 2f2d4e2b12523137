"""Programs out of Debian's packages, unpacked into a station and never installed: no root, no service.

``apt-get`` fetches them as this machine is set to fetch its own, and checks them by the archive's signatures;
the package files stay in the store. Knows nothing of what the programs do. Standard library only: set-up runs
it before anything is installed.
"""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from fsdl_course.setup.failures import SetupError
from fsdl_course.setup.installer import Installer

AS_ROOT = ("-o", "APT::Sandbox::User=root")  # else root's apt-get wants a folder that its user _apt may write


def unpack(tool: Installer, packages: Sequence[str], folder: Path) -> None:
    """Unpack these packages into ``folder``, without what they depend on, which the system must have.

    SetupError says what to do.
    """
    kept = (tool.store or folder) / "debian"
    kept.mkdir(parents=True, exist_ok=True)
    if missing := [name for name in packages if in_store(kept, name) is None]:
        _fetch(tool, missing, kept)
    for name in packages:
        file = in_store(kept, name)
        try:
            tool.run(f"{name} out of Debian's package", ["dpkg-deb", "--extract", file, folder])
        except SetupError:  # a damaged file must not stop the next try too
            file.unlink()
            raise


def in_store(kept: Path, name: str) -> Path | None:
    """The file of a package for this machine's kind of processor, the one fetched last; None without one."""
    files = [*kept.glob(f"{name}_*_{architecture()}.deb"), *kept.glob(f"{name}_*_all.deb")]
    return max(files, key=lambda file: file.stat().st_mtime, default=None)


def architecture() -> str:
    """Debian's name of this machine's kind of processor: ``amd64``, ``arm64``."""
    asked = ["dpkg", "--print-architecture"]
    return subprocess.run(asked, capture_output=True, text=True, check=True, timeout=60).stdout.strip()


def _fetch(tool: Installer, packages: Sequence[str], kept: Path) -> None:
    """With the lists that this machine has; with new ones of our own where it has none, or only old ones."""
    with tempfile.TemporaryDirectory(prefix=".tmp-debian-", dir=kept) as folder:
        lists, cache = Path(folder) / "lists", Path(folder) / "cache"
        for needed in (lists / "partial", cache / "archives" / "partial"):
            needed.mkdir(parents=True)
        here = ["env", "--chdir", folder, "apt-get", "--quiet", *(AS_ROOT if _is_root() else ())]
        own = ["-o", f"Dir::State::Lists={lists}", "-o", f"Dir::Cache={cache}"]
        what = f"{' and '.join(packages)} from Debian's archive"
        try:
            tool.run(what, [*here, "download", *packages])
        except SetupError:
            tool.run("Debian's list of packages", [*here, *own, "update"])
            tool.run(f"{what}, by the new list", [*here, *own, "download", *packages])
        for file in Path(folder).glob("*.deb"):
            shutil.move(file, kept / file.name)


def _is_root() -> bool:
    return hasattr(os, "geteuid") and os.geteuid() == 0
