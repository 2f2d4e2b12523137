"""A repository of models for devices, as The Update Framework wants it: four roles, each with its own key.

``root`` says whose keys count, ``targets`` which model has which hash, ``snapshot`` which metadata belong
together, ``timestamp`` what is newest; the last is signed anew each day. https://theupdateframework.github.io
"""

import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

from securesystemslib.signer import CryptoSigner, Signer
from tuf.api.metadata import Metadata, MetaFile, Root, Snapshot, TargetFile, Targets, Timestamp

NAME = "reader/model.onnx"
DAYS = {"root": 365, "targets": 90, "snapshot": 7, "timestamp": 1}  # for how long each counts


class Repository:
    """A folder with ``metadata`` and ``targets``, for any web server; ``shipped`` goes onto each device."""

    def __init__(self, folder: Path):
        self.metadata, self.targets = folder / "metadata", folder / "targets" / "reader"
        for place in (self.metadata, self.targets):
            place.mkdir(parents=True)
        self.signers: dict[str, Signer] = {role: CryptoSigner.generate_ed25519() for role in DAYS}
        root = Root(expires=_in_days(DAYS["root"]), consistent_snapshot=True)
        for role, signer in self.signers.items():
            root.add_key(signer.public_key, role)
        kinds = {"root": root, "targets": Targets(), "snapshot": Snapshot(), "timestamp": Timestamp()}
        self.roles = {role: Metadata(signed) for role, signed in kinds.items()}
        self.shipped = self.write("root")
        self.published = False

    def publish(self, model: Path, version: str) -> Path:
        """Put a model out under the next version; the file that a device downloads."""
        target = TargetFile.from_file(NAME, str(model), ["sha256"])
        target.unrecognized_fields["custom"] = {"version": version}
        self.roles["targets"].signed.targets[NAME] = target
        file = self.targets / f"{target.hashes['sha256']}.model.onnx"
        shutil.copyfile(model, file)
        if self.published:
            for role in ("targets", "snapshot", "timestamp"):
                self.roles[role].signed.version += 1
        self.published = True
        self.roles["snapshot"].signed.meta["targets.json"] = MetaFile(self.roles["targets"].signed.version)
        self.roles["timestamp"].signed.snapshot_meta = MetaFile(self.roles["snapshot"].signed.version)
        for role in ("targets", "snapshot", "timestamp"):
            self.roles[role].signed.expires = _in_days(DAYS[role])
            self.write(role)
        return file

    def path(self, role: str, version: int | None = None) -> Path:
        """The file of a role's metadata; of ``timestamp`` there is one, the others keep each version."""
        version = version or self.roles[role].signed.version
        return self.metadata / ("timestamp.json" if role == "timestamp" else f"{version}.{role}.json")

    def write(self, role: str, signer: Signer | None = None) -> bytes:
        """Sign a role's metadata, with another key if ``signer`` is given, and write them; the bytes."""
        metadata = self.roles[role]
        metadata.signatures.clear()
        metadata.sign(signer or self.signers[role])
        metadata.to_file(str(self.path(role)))
        return self.path(role).read_bytes()


def _in_days(days: float) -> datetime:
    return datetime.now(UTC).replace(microsecond=0) + timedelta(days=days)
