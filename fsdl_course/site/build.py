"""``fsdl-course site``: the course as static pages in ``build/site``, of what ``make course`` executed

Nothing is executed: a notebook without an executed copy is shown as the repository has it, and says so.
"""

import argparse
import shutil
import subprocess
import time
from pathlib import Path

from fsdl_course.setup.stations import ensure
from fsdl_course.site import look
from fsdl_course.site.check import problems
from fsdl_course.site.contents import SiteError
from fsdl_course.site.reader import write_reader
from fsdl_course.site.source import Source, lay_out
from fsdl_deploy import files
from fsdl_deploy.paths import ROOT

FOLDER = Path("build") / "site"
WORK = Path("build") / "site-source"
SETTINGS = Path("infra") / "site"
MOST_MEBIBYTES = 60


def build(root: Path, folder: Path, work: Path, python: Path) -> Source:
    """Make the site of the course at ``root`` in ``folder``; ``python`` is an interpreter that has Sphinx.

    ``work`` is for what Sphinx reads; both folders are emptied first. Raises SiteError with Sphinx's
    warnings, or with the links that lead nowhere.
    """
    for place in (folder, work):
        shutil.rmtree(place, ignore_errors=True)
    extra = work / "extra"
    size = write_reader(extra / "reader")
    source = lay_out(root, work / "source", extra, size)
    command = [str(python), "-m", "sphinx", "-b", "html", "-q", "-W", "--keep-going", "-j", "auto"]
    command += ["-D", f"html_extra_path={extra}"]
    command += ["-D", f"html_static_path={work / 'source' / '_static'},{ROOT / SETTINGS / 'static'}"]
    command += ["-c", str(ROOT / SETTINGS), "-d", str(work / "doctrees"), str(work / "source"), str(folder)]
    sphinx = subprocess.run(command, capture_output=True, text=True)
    if sphinx.returncode:
        raise SiteError(f"Sphinx is not content with the pages:\n{sphinx.stderr.strip()}")
    _tidy(folder)
    if dead := list(problems(folder)):
        raise SiteError("Links of the site lead nowhere:\n" + "\n".join(dead))
    return source


def _tidy(folder: Path) -> None:
    """Take out what Sphinx leaves for itself, and what only the makers of its looks need."""
    for path in [*folder.rglob("*.map"), *(folder / "_static").glob("*-macros.html"), folder / ".buildinfo"]:
        path.unlink(missing_ok=True)
    shutil.rmtree(folder / "_sources", ignore_errors=True)
    (folder / ".nojekyll").touch()  # or GitHub's pages would leave out folders that begin with a line


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of ``fsdl-course site``."""
    parser.add_argument("--look", action="store_true", help="then look at the pages in a browser, as CI does")
    parser.add_argument(
        "--root", type=Path, metavar="FOLDER", default=ROOT, help="the course's folder (default: this one)"
    )


def main(args: argparse.Namespace) -> int:
    """Build the stations that are missing, then the site; 1 if it is larger than it may be."""
    ensure("node")
    python = ensure("site")
    root = args.root.resolve()
    started = time.monotonic()
    source = build(root, root / FOLDER, root / WORK, python)
    seconds = time.monotonic() - started
    size = files.mebibytes(root / FOLDER)
    print(
        f"{FOLDER / 'index.html'}: {len(source.executed)} pages of executed notebooks, "
        f"{len(source.committed)} as the repository has them; {size:.0f} MiB, {seconds:.0f} s"
    )
    if size > MOST_MEBIBYTES:
        raise SiteError(f"the site takes {size:.0f} MiB, more than the {MOST_MEBIBYTES} MiB that it may take")
    return _looked_at(root / FOLDER) if args.look else 0


def _looked_at(folder: Path) -> int:
    """A page of each kind in all views, and every page on a phone; 1 where something is wrong."""
    started, pages = time.monotonic(), look.every(folder)
    wrong = [*look.problems(folder, look.kinds(folder)), *look.problems(folder, pages, look.VIEWS[1:2])]
    print(*dict.fromkeys(wrong), sep="\n", end="\n" if wrong else "")
    print(f"{len(pages)} pages looked at, {len(wrong)} problems, {time.monotonic() - started:.0f} s")
    return 1 if wrong else 0
