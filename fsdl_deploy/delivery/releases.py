"""Releases: sealed folders of which one is served; to promote one, or to roll back, is one rename

A release's ``manifest.json`` has the sum of each of its files, and ``seal`` is an HMAC of the manifest by a
secret key (RFC 2104, Python's own). That is no signature: whoever can check a seal can also make one. Where
servers must not be able to sign, use a key pair, such as Ed25519 by ``cryptography`` or Sigstore's cosign.

Which release is served stands in one small file of the store, replaced as a whole. Knows nothing of models.
"""

import hashlib
import hmac
import json
import os
import re
import secrets
from dataclasses import asdict, dataclass
from pathlib import Path

from fsdl_deploy import files

MANIFEST, SEAL, POINTER = "manifest.json", "seal", "serving.json"
NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")


class ReleaseError(RuntimeError):
    """A release is not what was sealed, or cannot be served; the message says why."""


@dataclass(frozen=True)
class Serving:
    """What is served: ``release``, the ``former`` ones (the latest last), those that were ``withdrawn``."""

    release: str | None = None
    former: tuple[str, ...] = ()
    withdrawn: tuple[str, ...] = ()


def secret(file: Path) -> bytes:
    """The key in ``file``, which is made there the first time, for its owner's eyes only."""
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        with files.whole(file, durable=True) as part:
            part.touch(mode=0o600)
            part.write_text(secrets.token_hex(32), encoding="ascii")
    key = file.read_bytes().strip()
    if len(key) < 32:
        raise ReleaseError(f"{file} is no key: it has fewer than 32 characters")
    return key


def named(name: str) -> str:
    """``name`` itself. Raises ValueError for what is no name of a release, such as a path."""
    if not NAME.fullmatch(name):
        raise ValueError(f"a release is named in small letters, digits and '.-_', not {name!r}")
    return name


def seal(folder: Path, key: bytes, **about) -> dict:
    """Write manifest and seal of all files in ``folder``; return the manifest. The seal comes last."""
    (folder / SEAL).unlink(missing_ok=True)
    names = sorted(path.name for path in folder.iterdir() if path.name != MANIFEST)
    manifest = about | {"files": {name: digest((folder / name).read_bytes()) for name in names}}
    text = json.dumps(manifest, indent=1, sort_keys=True).encode()
    files.write(folder / MANIFEST, text, durable=True)
    files.write(folder / SEAL, hmac.digest(key, text, "sha256").hex(), durable=True)
    return manifest


def checked(folder: Path, key: bytes) -> dict:
    """The manifest of ``folder``, once its seal is right and each file is there with its sum, and no other.

    Raises ReleaseError, whose sentence names what is missing, changed or too much.
    """
    try:
        text, mark = (folder / MANIFEST).read_bytes(), (folder / SEAL).read_text(encoding="ascii")
    except (OSError, ValueError):
        raise ReleaseError(f"{folder.name} is not sealed: it has no {MANIFEST} or no {SEAL}") from None
    if not hmac.compare_digest(mark.strip().encode(), hmac.digest(key, text, "sha256").hex().encode()):
        raise ReleaseError(f"{folder.name}'s seal does not fit its {MANIFEST}: changed, or sealed by another")
    manifest = json.loads(text)
    for name, right in manifest["files"].items():
        file = folder / name
        if not file.is_file():
            raise ReleaseError(f"{name} is missing from {folder.name}")
        if digest(file.read_bytes()) != right:
            raise ReleaseError(f"{name} of {folder.name} was changed after it was sealed")
    extra = {path.name for path in folder.iterdir()} - manifest["files"].keys() - {MANIFEST, SEAL}
    if extra:
        raise ReleaseError(f"{folder.name} has a file that was not sealed: {min(extra)}")
    return manifest


def content(folder: Path, name: str, manifest: dict) -> bytes:
    """The bytes of a file, read once and compared with the manifest: what is checked is what is used."""
    data = (folder / name).read_bytes()
    if digest(data) != manifest["files"][name]:
        raise ReleaseError(f"{name} of {folder.name} was changed after it was sealed")
    return data


def home(store: Path, name: str) -> Path:
    """Where a release of ``store`` is."""
    return store / "releases" / named(name)


def serving(store: Path) -> Serving:
    """What is served from ``store``; nothing yet from a new one."""
    try:
        kept = json.loads((store / POINTER).read_text(encoding="utf-8"))
        return Serving(kept["release"], tuple(kept["former"]), tuple(kept["withdrawn"]))
    except FileNotFoundError:
        return Serving()
    except (ValueError, KeyError, TypeError):
        raise ReleaseError(f"{store / POINTER} is damaged: restore it, or name a release by hand") from None


def promote(store: Path, name: str, champion: str | None) -> Serving:
    """Serve ``name`` in place of ``champion``, all at once; nothing happens where it is served already.

    Raises ReleaseError where another release than ``champion`` is served by now, or ``name`` was withdrawn.
    """
    before = serving(store)
    if before.release == name:
        return before
    if name in before.withdrawn:
        raise ReleaseError(f"{name} was rolled back: what is wrong with it is mended under a new name")
    if before.release != champion:
        raise ReleaseError(f"{name} was compared with {champion}, and by now {before.release} is served")
    former = (*before.former, before.release) if before.release else ()
    return _point(store, Serving(name, former, before.withdrawn))


def roll_back(store: Path) -> Serving:
    """Serve the former release again. Raises ReleaseError where there is none."""
    before = serving(store)
    if before.release is None or not before.former:
        raise ReleaseError("there is no former release to go back to")
    *older, former = before.former
    if not (home(store, former) / MANIFEST).is_file():
        raise ReleaseError(f"the former release {former} is gone, so {before.release} stays")
    return _point(store, Serving(former, tuple(older), (*before.withdrawn, before.release)))


def _point(store: Path, now: Serving) -> Serving:
    files.write(store / POINTER, json.dumps(asdict(now), indent=1), durable=True)
    if os.name == "posix":  # the rename itself must survive a loss of power, too
        folder = os.open(store, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    return now


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
