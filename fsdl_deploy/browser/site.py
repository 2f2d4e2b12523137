"""A site of releases: signed manifests, and the files they name by their hash, in a folder that any server
can serve.

``releases/current.json`` is the manifest: a payload and its signature, both base64. The payload names the
model and its settings with length and SHA-256, a version that only grows, and when it ends to count. A
rollback is an old model in a new release. The key lies beside the folder that is served, not in it.
"""

import base64
import hashlib
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from fsdl_deploy import files, weights
from fsdl_deploy.browser import signing
from fsdl_deploy.paths import BUILD
from fsdl_deploy.running import locks

DEFAULT = BUILD / "edge" / "site"
KIND, FORMAT = "meter-reader release", 1
DAYS = 7.0
PATIENCE = 60.0  # seconds that a publisher waits for another
MOST_BYTES = 16 * 2**20  # of a file: the app believes no signed length above it (release.js)
SETTINGS = {
    "threshold": 0.9,  # confidence below which the device is unsure
    "deadline_ms": 3000,  # for the service to answer
    "budget": {"model_bytes": 1_000_000, "reading_ms": 50, "storage_bytes": 32_000_000},
}


@dataclass(frozen=True)
class Release:
    """What a manifest announces: ``files`` has for each name its path, sha256 and bytes."""

    version: int
    model: str
    published: datetime
    expires: datetime
    files: dict[str, dict] = field(default_factory=dict)

    def payload(self) -> bytes:
        """What is signed, as JSON in UTF-8."""
        moments = {name: _text(getattr(self, name)) for name in ("published", "expires")}
        content = {"kind": KIND, "format": FORMAT, "version": self.version, "model": self.model}
        return json.dumps(content | moments | {"files": self.files}, indent=1).encode()


class Site:
    """The folder of a publisher: ``key.pem``, ``key.public`` and what is served, ``releases``."""

    def __init__(self, folder: Path = DEFAULT):
        self.folder = Path(folder)
        self.key = self.folder / "key.pem"
        self.releases = self.folder / "releases"
        self.manifest = self.releases / "current.json"
        self.archive = self.folder / "archive"  # the manifest of each release, by its version

    def make(self) -> "Site":
        """Make the folder and its key, where they are missing. Raises KeyProblem, StationError or OSError."""
        (self.releases / "files").mkdir(parents=True, exist_ok=True)
        self.archive.mkdir(exist_ok=True)
        if not self.key.exists():
            signing.make_key(self.key)
        if not (self.folder / "key.public").is_file():
            files.write(self.folder / "key.public", signing.public(self.key))
        return self

    @property
    def public(self) -> str:
        """The public key that an app must trust, base64: that of the private key, where that is here, too.

        Raises KeyProblem where there is none, or where the two are not a pair.
        """
        file = self.folder / "key.public"
        written = file.read_text(encoding="ascii", errors="replace").strip() if file.is_file() else None
        if not self.key.is_file():
            if written is None:
                raise signing.KeyProblem(
                    f"there is no key in {self.folder}: `fsdl-deploy edge key` makes one"
                )
            return written
        own = signing.public(self.key)
        if written is None:
            files.write(file, own)
        elif written != own:
            raise signing.KeyProblem(
                f"{file} is not the public half of {self.key}, so apps would trust another key: remove the "
                "file, and it is written anew"
            )
        return own

    def current(self) -> Release | None:
        """The release that is out; None before the first. Raises ValueError for a broken manifest."""
        if not self.manifest.is_file():
            return None
        try:
            return self.read(self.manifest.read_bytes())
        except ValueError as error:
            raise ValueError(
                f"{self.manifest}: {error}; put the newest of {self.archive} in its place"
            ) from None

    @staticmethod
    def read(manifest: bytes) -> Release:
        """What a manifest of ours says; its signature is not looked at. Raises ValueError."""
        try:
            content = json.loads(base64.b64decode(json.loads(manifest)["payload"]))
            moments = {name: datetime.fromisoformat(content[name]) for name in ("published", "expires")}
            return Release(int(content["version"]), content["model"], files=content["files"], **moments)
        except (ValueError, TypeError, KeyError, RecursionError) as error:
            raise ValueError(f"this is no manifest of a release ({type(error).__name__})") from None

    def publish(
        self,
        model: bytes | str = "v2",
        name: str | None = None,
        *,
        days: float = DAYS,
        settings: dict | None = None,
        version: int | None = None,
        now: datetime | None = None,
    ) -> Release:
        """Sign a release and put it out: a model on record by its version, or the bytes of any ONNX file.

        ``settings`` replace some of SETTINGS. ``version``: by default one more than the one that is out. The
        files are there before the manifest that names them, and the manifest is replaced whole.
        Raises WeightsError for a model that is not on record, KeyProblem, OSError.
        """
        content = weights.verified(f"{model}.onnx") if isinstance(model, str) else model
        parts = {"model": content, "settings": json.dumps(SETTINGS | (settings or {}), indent=1).encode()}
        with self._alone():
            before, now = self.current(), now or _now()
            release = Release(
                version or (before.version + 1 if before else 1),
                name or (model if isinstance(model, str) else "unnamed"),
                now,
                now + timedelta(days=days),
                {part: self._keep(body) for part, body in parts.items()},
            )
            return self._out(release)

    def renew(self, days: float = DAYS) -> Release:
        """The release that is out once more, as a new version that counts for ``days`` from now on."""
        with self._alone():
            now, before = _now(), self.current()
            if before is None:
                raise ValueError(
                    f"nothing is published in {self.folder} yet: `fsdl-deploy edge publish` does"
                )
            return self._out(
                Release(before.version + 1, before.model, now, now + timedelta(days=days), before.files)
            )

    def _alone(self):
        """Of two publishers one waits for the other: both would sign a release of the same number."""
        busy = TimeoutError(f"somebody else is publishing in {self.folder}: try again when that is over")
        return locks.alone(self.folder / "publish.lock", busy, PATIENCE)

    def _out(self, release: Release) -> Release:
        manifest = envelope(release, self.key)
        files.write(self.archive / f"{release.version}.json", manifest)
        files.write(self.manifest, manifest)
        return release

    def _keep(self, body: bytes) -> dict:
        digest = hashlib.sha256(body).hexdigest()
        files.write(self.releases / "files" / digest, body)
        return {"path": f"files/{digest}", "sha256": digest, "bytes": len(body)}


def envelope(release: Release, key: Path) -> bytes:
    """The manifest of a release, signed with the key in this file. Raises KeyProblem."""
    payload = release.payload()
    content = {"payload": base64.b64encode(payload).decode(), "signature": signing.sign(key, payload)}
    return json.dumps(content).encode()


def _now() -> datetime:
    """This moment, in whole milliseconds, as a manifest has it."""
    now = datetime.now(UTC)
    return now.replace(microsecond=now.microsecond // 1000 * 1000)


def _text(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
