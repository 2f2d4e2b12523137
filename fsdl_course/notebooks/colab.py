"""The cell with which a notebook starts on Colab: it fetches the course and installs what lessons need

The text of that cell stands here alone; building a notebook puts it where its source has a cell tagged
``colab``. Where the course lies, and in which version, is said once, in ``pyproject.toml``; a fork changes
that. Knows nothing of how packages are installed.
"""

import os
import tomllib
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from fsdl_deploy.paths import ROOT

TAG = "colab"
SOURCE = "# Building the notebook writes this cell."
CELL = """try:
    import google.colab  # Colab alone has it; elsewhere this cell does nothing
except ImportError:
    pass
else:
    import os, subprocess, sys

    address, version, folder = {address!r}, {version!r}, os.path.abspath("course")
    address = address or input("The address of the course's repository: ")
    if not os.path.isdir(folder):
        subprocess.run(["git", "clone", "-q", "--depth=1", "-b", version, "--", address, folder], check=True)
    sys.path.insert(0, folder)
    from fsdl_course.setup import hosted

    hosted.colab()"""


@dataclass(frozen=True)
class Place:
    """Where the repository is, and the branch or tag that notebooks belong to; "" where nobody has said."""

    address: str
    version: str

    def link(self, path: str) -> str | None:
        """The address under which Colab opens a notebook of a repository on GitHub; None for any other."""
        owner_and_name = self.address.removesuffix(".git").removeprefix("https://github.com/")
        if not self.address.startswith("https://github.com/") or owner_and_name.count("/") != 1:
            return None
        return f"https://colab.research.google.com/github/{owner_and_name}/blob/{quote(self.version)}/{quote(path)}"


def place(root: Path = ROOT) -> Place:
    """What ``[tool.fsdl-course]`` in ``pyproject.toml`` says; without an address, "" and the branch main."""
    path = root / "pyproject.toml"
    document = tomllib.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    settings = document.get("tool", {}).get("fsdl-course", {})
    return Place(settings.get("repository", ""), settings.get("version", "main"))


def published(root: Path = ROOT, environ=os.environ) -> Place:
    """The place for links of a site: the setting, else the repository in whose workflow the site is made."""
    settings = place(root)
    if settings.address or not environ.get("GITHUB_REPOSITORY"):
        return settings
    server = environ.get("GITHUB_SERVER_URL", "https://github.com")
    return Place(
        f"{server}/{environ['GITHUB_REPOSITORY']}", environ.get("GITHUB_REF_NAME") or settings.version
    )


def is_cell(cell) -> bool:
    """Whether a notebook's cell is the one for Colab."""
    return cell.cell_type == "code" and TAG in cell.metadata.get("tags", ())


def fill(cells, root: Path) -> None:
    """Write the cell's text where a source has left its place."""
    for cell in filter(is_cell, cells):
        where = place(root)
        cell.source = CELL.format(address=where.address, version=where.version)
