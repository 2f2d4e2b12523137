"""The files of the app, as the server sends them: compressed once, and each with its hash

Sources are ``infra/edge/browser/app`` and ONNX Runtime's web form from the station ``node``. The server adds
``config.json`` (which key the app trusts, which service it may ask) and the list in ``sw.js``.
"""

import base64
import gzip
import hashlib
import json
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from fsdl_deploy import files
from fsdl_deploy.paths import BUILD, ROOT
from fsdl_deploy.running import stations

SOURCES = ROOT / "infra" / "edge" / "browser" / "app"
RUNTIME = ("ort.wasm.min.mjs", "ort-wasm-simd-threaded.mjs", "ort-wasm-simd-threaded.wasm")
COMPRESSED = BUILD / "edge" / "compressed"
LIST = "{}; /* the server writes here"  # in sw.js
TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".mjs": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".svg": "image/svg+xml",
    ".wasm": "application/wasm",
    ".webmanifest": "application/manifest+json",
}


@dataclass(frozen=True)
class AppFile:
    """A file by its path in the app: its bytes, and the compressed forms that a browser may choose."""

    path: str
    body: bytes
    encoded: dict[str, bytes] = field(default_factory=dict)

    @property
    def kind(self) -> str:
        """Its MIME type."""
        return TYPES.get(Path(self.path).suffix, "application/octet-stream")

    @property
    def sha256(self) -> bytes:
        """Its digest, 32 bytes."""
        return hashlib.sha256(self.body).digest()

    @property
    def integrity(self) -> str:
        """Its hash as browsers write it (Subresource Integrity)."""
        return f"sha256-{base64.b64encode(self.sha256).decode()}"


def app_files(key: str, service: str | None = None, runtime: Path | None = None) -> dict[str, AppFile]:
    """All files of the app by their path; ``index.html`` is also the folder itself, "".

    ``key``: the public key that the app trusts, base64. ``service``: the address that it may ask, or None.
    ``runtime``: the folder of ONNX Runtime's files; by default that of the station ``node``, and StationError
    says how to build it.
    """
    runtime = runtime or stations.station("node").node_modules / "onnxruntime-web" / "dist"
    bodies = {path.name: path.read_bytes() for path in sorted(SOURCES.iterdir()) if path.suffix in TYPES}
    bodies |= {f"ort/{name}": (runtime / name).read_bytes() for name in RUNTIME}
    bodies["config.json"] = json.dumps({"key": key, "service": service}).encode()
    worker = bodies.pop("sw.js").decode()
    shell = {path: AppFile(path, body, _compressed(body)) for path, body in bodies.items()}
    listed = {("./" if path == "index.html" else path): file.integrity for path, file in shell.items()}
    listed["index.html"] = shell["index.html"].integrity
    digest = hashlib.sha256(json.dumps([worker, listed], sort_keys=True).encode()).hexdigest()
    content = json.dumps({"digest": digest[:16], "files": listed})
    worker = files.replaced_once(worker, LIST, f"{content}; /* the server wrote this", "sw.js")
    shell["sw.js"] = AppFile("sw.js", worker.encode(), _compressed(worker.encode()))
    return shell | {"": shell["index.html"]}


@lru_cache(maxsize=64)
def _compressed(body: bytes) -> dict[str, bytes]:
    """Brotli where Python has it, and gzip; what took seconds is kept by its hash."""
    forms = {"gzip": lambda data: gzip.compress(data, 9, mtime=0)}
    try:
        import brotli

        forms = {"br": lambda data: brotli.compress(data, quality=11 if len(data) < 2**20 else 9)} | forms
    except ImportError:  # a browser takes gzip as well
        pass
    return {name: _kept(name, body, form) for name, form in forms.items()}


def _kept(name: str, body: bytes, form) -> bytes:
    if len(body) < 2**18:
        return form(body)
    COMPRESSED.mkdir(parents=True, exist_ok=True)
    file = COMPRESSED / f"{hashlib.sha256(body).hexdigest()}.{name}"
    if not file.is_file():
        files.write(file, form(body))
    return file.read_bytes()
