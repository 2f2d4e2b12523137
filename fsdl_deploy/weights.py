"""The trained models in ``models/``: each file is checked against its sum before a byte of it is used.

``NAME.safetensors`` holds the weights of the network, ``NAME.onnx`` the whole reader, ``NAME.md``
its model card, ``SHA256SUMS`` the sums. Nothing is ever unpickled.
"""

import hashlib
import json
import os
import re
from pathlib import Path

from fsdl_deploy.paths import ROOT

VERSIONS = ("teacher", "v1", "v2", "v3-bad")
SUMS = "SHA256SUMS"
SUM_LINE = re.compile(r"([0-9a-f]{64}) [ *](\S.*)")  # of sha256sum, in text or binary mode


class WeightsError(RuntimeError):
    """A model file is missing or is not the one that was trained; the message says what to do."""


def folder() -> Path:
    """Where the models are: ``models/`` of the course, or the folder that FSDL_MODELS names."""
    return Path(os.environ.get("FSDL_MODELS") or ROOT / "models")


def verified(file_name: str, models: Path | None = None) -> bytes:
    """The bytes of a file of ``models`` (the course's folder), once its sha256 equals the one on record.

    Raises WeightsError when the file or its sum is missing, or they do not agree.
    """
    models = models or folder()
    restore = "restore it with 'git checkout -- models', or make it again with 'fsdl-deploy train'"
    try:
        lines = (models / SUMS).read_text(encoding="utf-8").splitlines()
    except (OSError, ValueError):
        raise WeightsError(f"there is no {models / SUMS}, or it is damaged: {restore}") from None
    sums: dict[str, str] = {}
    for number, line in enumerate(lines, 1):
        match = SUM_LINE.fullmatch(line)
        if match is None or match[2] in sums:
            raise WeightsError(f"{models / SUMS}, line {number} is no sum, or a file's second one: {restore}")
        sums[match[2]] = match[1]
    if file_name not in sums:
        known = ", ".join(sorted({Path(name).stem for name in sums}))
        raise WeightsError(f"there is no model file {file_name} in {models}; the models there: {known}")
    try:
        data = (models / file_name).read_bytes()
    except OSError as error:
        raise WeightsError(f"{models / file_name} cannot be read ({error.strerror}): {restore}") from None
    if hashlib.sha256(data).hexdigest() != sums[file_name]:
        raise WeightsError(f"{models / file_name} does not match its checksum, so it is not used: {restore}")
    return data


def load(version: str, models: Path | None = None):
    """The torch MeterReader of ``version`` in ``models`` (the course's folder), in evaluation mode."""
    import safetensors.torch

    from fsdl_deploy.models import MeterReader, Student, Teacher

    data = verified(f"{version}.safetensors", models)
    about = metadata(data)
    network = {"Teacher": Teacher, "Student": Student}[about["network"]]()
    network.load_state_dict(
        {k: v.float() if v.is_floating_point() else v for k, v in safetensors.torch.load(data).items()}
    )
    constants = about["constants"]
    return MeterReader(network, tuple(constants) if constants else None).eval()


def metadata(data: bytes) -> dict:
    """What ``save`` noted in the header of a safetensors file (its first 8 bytes are the header's length)."""
    header = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])
    return json.loads(header["__metadata__"]["about"])


def save(version: str, network, constants: tuple[float, float] | None, into: Path) -> None:
    """Write ``NAME.safetensors``: weights in float16, half the size and no change in what is read."""
    import safetensors.torch

    tensors = {
        k: (v.half() if v.is_floating_point() else v).contiguous() for k, v in network.state_dict().items()
    }
    # One field, because several would stand in another order at each writing, and change the sum.
    about = {"network": type(network).__name__, "constants": constants, "version": version}
    (into / f"{version}.safetensors").write_bytes(
        safetensors.torch.save(tensors, {"about": json.dumps(about)})
    )


def write_sums(into: Path) -> None:
    """Write ``SHA256SUMS`` over all weights and graphs in ``into``, in the format of sha256sum."""
    lines = [
        f"{hashlib.sha256(file.read_bytes()).hexdigest()}  {file.name}"
        for file in sorted(into.iterdir())
        if file.suffix in (".safetensors", ".onnx")
    ]
    (into / SUMS).write_text("\n".join(lines) + "\n", encoding="utf-8", newline="\n")
