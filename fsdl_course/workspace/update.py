"""``fsdl-course update``: the newest course, with your answers in it

Fetches what is new, takes it only where that loses nothing, and brings the answers of begun labs into
their newer version. What a notebook was before is kept in ``work/backups``. A notebook of a lesson
that you ran stays as it is.
"""

import argparse
import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

from fsdl_course.workspace import answers, copies
from fsdl_course.workspace.copies import WORK, WorkspaceError
from fsdl_course.workspace.reset import BACKUPS, free_name
from fsdl_deploy.paths import ROOT

SECONDS = 300  # for git, with a slow link
VERSIONS = 100  # of a lab, looked through for the one that a copy was made from


def update(root: Path, to: str | None = None, offline: bool = False) -> Iterator[str]:
    """Bring the course at ``root`` to its newest version, or to the tag ``to``; yields what happened,
    as sentences.

    Raises WorkspaceError, before anything is changed, where git could lose work or has nothing to fetch from.
    """
    if not offline:
        yield from _fetched(root, to)
    outdated = _outdated_labs(root)
    merges = {name: _merge(name, root) for name in outdated}
    changes = copies.refresh(root)
    if fresh := len(changes.added) + len(changes.renewed):
        yield f"Notebooks in {WORK}/ that are new or follow the course: {fresh}."
    for name, outcome in merges.items():
        yield from _kept(name, outcome, root)
    changes.outdated = [name for name in changes.outdated if name not in outdated]
    yield from changes.sentences()


def _fetched(root: Path, to: str | None) -> Iterator[str]:
    if _git(root, "rev-parse", "--is-inside-work-tree", check=False) != "true":
        raise WorkspaceError(
            "This folder is no clone of git: get the new course beside it, and copy work/ there."
        )
    changed = _git(root, "diff", "--name-only", "HEAD").splitlines()
    if changed:
        names = ", ".join(changed[:3]) + (" and more" if len(changed) > 3 else "")
        raise WorkspaceError(
            f"Files of the course itself were changed ({names}): keep what you need of them, 'git "
            f"checkout -- .' "
            "gives back what the course has, then update again. What is in work/ is not touched by that."
        )
    if not to and not _git(root, "rev-parse", "--abbrev-ref", "@{upstream}", check=False):
        raise WorkspaceError(
            "This clone follows no branch: name a version with --to, or 'git switch main' first."
        )
    try:
        _git(root, "fetch", "--quiet", *(["--tags"] if to else []))
    except WorkspaceError as error:
        raise WorkspaceError(
            f"Nothing was changed: the course could not be fetched ({error}). Look at your network, or give "
            "'fsdl-course update --offline' to bring your answers into what is here already."
        ) from None
    target = _git(root, "rev-parse", "--verify", "--quiet", f"{to or '@{upstream}'}^{{commit}}", check=False)
    if not target:
        known = ", ".join(_git(root, "tag", "--list").split()) or "none"
        raise WorkspaceError(f"There is no version {to!r}; the tags are: {known}.")
    before = _git(root, "rev-parse", "HEAD")
    if _git(root, "merge-base", "HEAD", target, check=False) != before:
        raise WorkspaceError(
            "This clone has commits of its own, or is newer than that: merge with git, then "
            "'fsdl-course update --offline' brings your answers along."
        )
    _git(root, "merge", "--quiet", "--ff-only", target)
    number = _git(root, "rev-list", "--count", f"{before}..HEAD")
    yield (
        f"The course has {number} changes more than before."
        if number != "0"
        else "The course is as new as it can be."
    )


def _outdated_labs(root: Path) -> list[str]:
    """Labs that somebody worked on, while the course has another version by now."""
    names, labs = copies.originals(root), []
    for name in names:
        path = root / WORK / name
        if not name.startswith("labs/") or not path.is_file():
            continue
        try:
            present, newer = copies.read(path), copies.copy_of(name, root, names)
        except ValueError:
            continue  # `refresh` says so
        if copies.is_touched(present) and copies.is_outdated(present, newer):
            labs.append(name)
    return labs


def _merge(name: str, root: Path) -> answers.Merged | answers.NoPlace:
    student, newer = copies.read(root / WORK / name), copies.copy_of(name, root)
    try:
        return answers.merged(student, newer, base_of(name, student, root))
    except answers.NoPlace as lost:
        return lost


def base_of(name: str, student: dict, root: Path) -> dict | None:
    """The version that a student's copy was made from, out of git's history; None where it is not there."""
    digest = (student["metadata"].get(copies.MARK) or {}).get("digest")
    known = set(copies.originals(root))
    for commit in _git(root, "log", f"-{VERSIONS}", "--format=%H", "--", name, check=False).split():
        try:
            version = json.loads(_git(root, "show", f"{commit}:{name}"))
            if copies.digest(copies.with_links(version, name, known, root)) == digest:
                return version
        except (ValueError, KeyError, TypeError, WorkspaceError):
            continue  # it was no notebook then
    return None


def _kept(name: str, outcome: answers.Merged | answers.NoPlace, root: Path) -> Iterator[str]:
    place, short = f"{WORK}/{name}", copies.short(name)
    if isinstance(outcome, answers.NoPlace):
        yield (
            f"{place} stays as it is: the newer version has no place for your answer {outcome}. "
            f"'fsdl-course reset "
            f"{short}' gets the new one, and keeps yours."
        )
        return
    path = root / place
    with copies.writing():
        backup = free_name(root / BACKUPS, path.stem)
        copies.replace(backup, path.read_bytes())
        copies.write(path, outcome.notebook)
    yield (
        f"{place} is the newer version, with {len(outcome.answers)} of your answers in it; what it was "
        f"is kept as "
        f"{backup.relative_to(root).as_posix()}."
    )
    if outcome.changed:
        yield (
            f"In {place} the course changed what {', '.join(outcome.changed)} starts from: your answer "
            f"is kept, so "
            f"read the exercise again and compare with {name}."
        )


def _git(root: Path, *words: str, check: bool = True) -> str:
    """What git prints; with ``check`` a WorkspaceError with git's own words where it fails, else ""."""
    try:
        process = subprocess.run(
            ["git", "-c", "core.quotepath=off", *words],
            **{"cwd": root, "capture_output": True, "text": True, "encoding": "utf-8", "timeout": SECONDS},
        )
    except FileNotFoundError:
        raise WorkspaceError(
            "git is not installed: get it, or download the new course and copy work/ there."
        ) from None
    except subprocess.TimeoutExpired:
        raise WorkspaceError(f"git did not answer within {SECONDS} s") from None
    if process.returncode and check:
        raise WorkspaceError((process.stderr.strip().splitlines() or ["git failed"])[-1])
    return "" if process.returncode else process.stdout.strip()


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of ``fsdl-course update``."""
    parser.add_argument("--to", metavar="TAG", help="the version of a semester (default: the newest)")
    parser.add_argument(
        "--offline", action="store_true", help="fetch nothing: only bring answers into what is here"
    )
    parser.add_argument(
        "--root", type=Path, metavar="FOLDER", default=ROOT, help="the course's folder (default: this one)"
    )


def main(args: argparse.Namespace) -> int:
    """Update, and say what happened."""
    for sentence in update(args.root.resolve(), args.to, args.offline):
        print(sentence)
    print("'make lab' starts it; it also renews the environment where that has changed.")
    return 0
