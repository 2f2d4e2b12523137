"""Files that are written whole or not at all, and how much room a folder takes. Standard library only."""

import argparse
import contextlib
import os
from collections.abc import Iterator
from pathlib import Path


def place(path: Path) -> Path:
    """``path`` itself, if a file can be written there. Raises OSError with a sentence where not."""
    if path.is_dir():
        raise IsADirectoryError(f"{path} is a folder: give the name of a file")
    if not path.parent.is_dir():
        raise FileNotFoundError(f"there is no folder {path.parent}: make it first, or name another")
    if not os.access(path.parent, os.W_OK):
        raise PermissionError(f"the folder {path.parent} cannot be written to: name another")
    return path


def output(text: str) -> Path:
    """The ``type`` of every argument that names a file to write: refused before the work, not after it."""
    try:
        return place(Path(text))
    except OSError as problem:
        raise argparse.ArgumentTypeError(str(problem)) from None


def printable(name: str | os.PathLike) -> str:
    """A name as one line of text: what is no character that one sees, or no UTF-8, becomes an escape.

    A name may hold ends of lines and codes that a terminal obeys.
    """
    text = os.fspath(name).encode("utf-8", "backslashreplace").decode()
    return "".join(character if character.isprintable() else ascii(character)[1:-1] for character in text)


@contextlib.contextmanager
def whole(path: Path, durable: bool = False) -> Iterator[Path]:
    """``with whole(path) as part``: what is written to ``part`` takes the place of ``path`` at the end.

    Whoever reads meanwhile, or after an error or a kill, finds the old file or none, never a part of the new
    one. ``durable``: nor after the machine loses power. Raises OSError, as ``place`` does.
    """
    part = place(path).with_name(f".{path.name}.{os.getpid()}.part")
    try:
        yield part
        if durable:
            with part.open("rb+") as file:
                os.fsync(file.fileno())
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)


def write(path: Path, content: bytes | str, durable: bool = False) -> None:
    """Write ``content`` (text as UTF-8) whole or not at all."""
    with whole(path, durable) as part:
        part.write_bytes(content.encode("utf-8") if isinstance(content, str) else content)


def replaced_once(text: str, before: str, after: str, name: str) -> str:
    """``text`` with ``after`` in place of ``before``. ValueError where ``name`` does not hold that once."""
    if (times := text.count(before)) != 1:
        raise ValueError(f"{name} holds {before!r} {times} times, not once: nothing can take its place")
    return text.replace(before, after)


def mebibytes(folder: Path) -> float:
    """The size of all files in ``folder`` together, MiB."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 2**20
