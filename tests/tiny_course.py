"""A course small enough to set up in a second: one wheel of a few bytes, one station, no network."""

import base64
import hashlib
import os
import zipfile
from pathlib import Path

import pytest


def wheel(folder: Path, version: str, code: str = "") -> str:
    """Write ``tiny-VERSION-py3-none-any.whl``; return its sha256."""
    folder.mkdir(parents=True, exist_ok=True)
    about = f"tiny-{version}.dist-info"
    files = {
        "tiny.py": f"version = {version!r}\n{code}",
        f"{about}/METADATA": f"Metadata-Version: 2.1\nName: tiny\nVersion: {version}\n",
        f"{about}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    rows = []
    for name, text in files.items():
        sum256 = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
        rows.append(f"{name},sha256={sum256},{len(text.encode())}")
    files[f"{about}/RECORD"] = "\n".join([*rows, f"{about}/RECORD,,", ""])
    path = folder / f"tiny-{version}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return hashlib.sha256(path.read_bytes()).hexdigest()


def make(root: Path, patch: pytest.MonkeyPatch) -> Path:
    """The course's folder, with pip told to look nowhere but in its ``wheels``."""
    lock(root, "1.0")
    (root / "infra" / "tool").mkdir(parents=True)
    (root / "infra/tool/station.toml").write_text('name = "tool"\npurpose = "a test"\n')
    (root / "infra/tool/requirements.lock").write_bytes((root / "requirements.lock").read_bytes())
    for name in [name for name in os.environ if name.startswith(("PIP_", "UV_"))]:
        patch.delenv(name)
    patch.delenv("FSDL_STATIONS", raising=False)  # which a whole run of the tests sets
    patch.delenv("FSDL_STORE", raising=False)
    patch.setenv("PIP_CONFIG_FILE", os.devnull)
    patch.setenv("PIP_FIND_LINKS", str(root / "wheels"))
    patch.setenv("PIP_NO_INDEX", "1")
    patch.setenv("UV_CACHE_DIR", str(root / "uv-cache"))
    return root


def lock(root: Path, version: str) -> None:
    """Lock ``tiny`` in this version, and make its wheel."""
    sum256 = wheel(root / "wheels", version)
    (root / "requirements.lock").write_text(f"tiny=={version} \\\n    --hash=sha256:{sum256}\n")
