import hashlib
import shutil

import pytest

from fsdl_deploy import weights
from fsdl_deploy.weights import VERSIONS, WeightsError, folder, metadata, verified


@pytest.fixture
def copy(tmp_path, monkeypatch):
    models = tmp_path / "models"
    shutil.copytree(folder(), models)
    monkeypatch.setenv("FSDL_MODELS", str(models))
    return models


def test_every_version_is_there_verified_and_small():
    sizes = [len(verified(f"{v}{end}")) for v in VERSIONS for end in (".onnx", ".safetensors")]
    assert sum(sizes) <= 8 * 2**20
    assert sum(file.stat().st_size for file in folder().iterdir()) <= 8 * 2**20


def test_nothing_in_models_is_a_pickle():
    files = [file for file in folder().iterdir() if file.is_file()]  # models/edge has its own sums
    assert {file.suffix for file in files} <= {".onnx", ".safetensors", ".md", ".json", ""}
    for file in files:
        assert not file.read_bytes().startswith((b"\x80", b"PK"))


@pytest.mark.parametrize("place", [0, 1000, -1])
def test_one_changed_byte_is_refused(copy, place):
    data = bytearray((copy / "v2.onnx").read_bytes())
    data[place] ^= 1
    (copy / "v2.onnx").write_bytes(data)
    with pytest.raises(WeightsError, match=r"does not match its checksum.*git checkout"):
        verified("v2.onnx")
    verified("v1.onnx")


def test_missing_files_and_sums_say_what_to_do(copy):
    (copy / "v1.onnx").unlink()
    with pytest.raises(WeightsError, match="fsdl-deploy train"):
        verified("v1.onnx")
    with pytest.raises(WeightsError, match="the models there: teacher, v1, v2, v3-bad"):
        verified("v7.onnx")
    (copy / "SHA256SUMS").unlink()
    with pytest.raises(WeightsError, match="SHA256SUMS"):
        verified("v2.onnx")


def test_sums_are_in_the_format_of_sha256sum(copy):
    weights.write_sums(copy)
    for line in (copy / "SHA256SUMS").read_text().splitlines():
        digest, name = line.split("  ")
        assert hashlib.sha256((copy / name).read_bytes()).hexdigest() == digest


def test_a_damaged_list_of_sums_is_refused(copy):
    sums = copy / "SHA256SUMS"
    lines = sums.read_text().splitlines()
    sums.write_text("\n".join(line.replace("  ", " *") for line in lines))  # as sha256sum --binary writes it
    verified("v2.onnx")
    for bad in ("no sum", lines[0][:40], lines[0].upper(), lines[0], ""):
        sums.write_text("\n".join([*lines, bad, ""]))
        with pytest.raises(WeightsError, match=rf"line {len(lines) + 1} is no sum, or a file's second one"):
            verified("v2.onnx")


def test_bad_version_is_v2_with_constants():
    import safetensors.torch

    good, bad = (verified(f"{v}.safetensors") for v in ("v2", "v3-bad"))
    assert metadata(good)["constants"] is None and len(metadata(bad)["constants"]) == 2
    tensors, others = safetensors.torch.load(good), safetensors.torch.load(bad)
    assert tensors.keys() == others.keys() and all((tensors[k] == others[k]).all() for k in tensors)


@pytest.mark.parametrize("version", VERSIONS)
def test_each_model_has_its_card(version):
    text = (folder() / f"{version}.md").read_text()
    assert text.startswith(f"# Model card: {version}\n") and "Exact match" in text
