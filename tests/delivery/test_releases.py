"""Releases: a seal shows each change, and what is served changes as a whole or not at all."""

import json

import pytest

from fsdl_deploy import files
from fsdl_deploy.delivery import releases
from fsdl_deploy.delivery.releases import ReleaseError, Serving

KEY = b"k" * 64


@pytest.fixture
def store(tmp_path):
    """A store with three sealed releases, of which none is served."""
    for name in ("spring", "summer", "autumn"):
        folder = releases.home(tmp_path, name)
        folder.mkdir(parents=True)
        (folder / "reader.onnx").write_bytes(name.encode())
        (folder / "evaluation.json").write_text("{}")
        releases.seal(folder, KEY, name=name)
    return tmp_path


def missing(folder):
    (folder / "reader.onnx").unlink()


def changed(folder):
    (folder / "reader.onnx").write_bytes(b"springs")


def added(folder):
    (folder / "plugin.py").write_text("")


def resealed_without_the_key(folder):
    changed(folder)
    releases.seal(folder, b"x" * 64, name="spring")


def manifest_of_the_new_file(folder):
    changed(folder)
    manifest = json.loads((folder / releases.MANIFEST).read_text())
    manifest["files"]["reader.onnx"] = releases.digest(b"springs")
    (folder / releases.MANIFEST).write_text(json.dumps(manifest, indent=1, sort_keys=True))


def unsealed(folder):
    (folder / releases.SEAL).unlink()


def seal_of_a_neighbour(folder):
    (folder / releases.SEAL).write_bytes((folder.parent / "summer" / releases.SEAL).read_bytes())


def test_what_was_sealed_passes(store):
    manifest = releases.checked(releases.home(store, "spring"), KEY)
    assert manifest["name"] == "spring" and set(manifest["files"]) == {"reader.onnx", "evaluation.json"}


@pytest.mark.parametrize(
    ("harm", "message"),
    [
        (missing, "reader.onnx is missing from spring"),
        (changed, "reader.onnx of spring was changed after it was sealed"),
        (added, "a file that was not sealed: plugin.py"),
        (resealed_without_the_key, "seal does not fit"),
        (manifest_of_the_new_file, "seal does not fit"),
        (unsealed, "not sealed"),
        (seal_of_a_neighbour, "seal does not fit"),
    ],
)
def test_each_change_after_the_seal_is_seen(store, harm, message):
    folder = releases.home(store, "spring")
    harm(folder)
    with pytest.raises(ReleaseError, match=message):
        releases.checked(folder, KEY)


def test_the_bytes_that_are_used_are_those_that_were_checked(store):
    folder = releases.home(store, "spring")
    manifest = releases.checked(folder, KEY)
    assert releases.content(folder, "reader.onnx", manifest) == b"spring"
    changed(folder)
    with pytest.raises(ReleaseError, match="changed"):
        releases.content(folder, "reader.onnx", manifest)


def test_promote_and_back_and_never_again(store):
    assert releases.serving(store) == Serving()
    releases.promote(store, "spring", None)
    releases.promote(store, "summer", "spring")
    assert releases.promote(store, "summer", "spring") == Serving("summer", ("spring",)), "twice is once"
    assert releases.roll_back(store) == Serving("spring", (), ("summer",))
    with pytest.raises(ReleaseError, match="summer was rolled back"):
        releases.promote(store, "summer", "spring")
    with pytest.raises(ReleaseError, match="no former release"):
        releases.roll_back(store)
    assert releases.serving(store).release == "spring"


def test_a_release_that_was_compared_with_another_champion_is_not_promoted(store):
    releases.promote(store, "spring", None)
    releases.promote(store, "summer", "spring")
    with pytest.raises(ReleaseError, match="compared with spring, and by now summer is served"):
        releases.promote(store, "autumn", "spring")
    assert releases.serving(store).release == "summer"


def test_there_is_no_way_back_to_a_release_that_is_gone(store):
    releases.promote(store, "spring", None)
    releases.promote(store, "summer", "spring")
    (releases.home(store, "spring") / releases.MANIFEST).unlink()
    with pytest.raises(ReleaseError, match="spring is gone, so summer stays"):
        releases.roll_back(store)
    assert releases.serving(store).release == "summer"


def test_killed_while_it_is_promoted_the_former_one_is_served(store, monkeypatch):
    releases.promote(store, "spring", None)

    def killed(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(files.os, "replace", killed)
        with pytest.raises(KeyboardInterrupt):
            releases.promote(store, "summer", "spring")
    assert releases.serving(store) == Serving("spring")
    assert releases.promote(store, "summer", "spring").release == "summer"


def test_a_damaged_pointer_is_an_error_and_not_nothing_served(store):
    (store / releases.POINTER).write_text("{")
    with pytest.raises(ReleaseError, match="damaged"):
        releases.serving(store)


@pytest.mark.parametrize("name", ["../spring", "Spring", "", ".hidden", "a/b", "a" * 65])
def test_a_name_is_no_path(store, name):
    with pytest.raises(ValueError, match="a release is named"):
        releases.home(store, name)


def test_the_key_is_made_once_and_is_for_its_owner(tmp_path):
    file = tmp_path / "some" / "store.key"
    key = releases.secret(file)
    assert releases.secret(file) == key and len(key) == 64
    assert file.stat().st_mode & 0o077 == 0 or not hasattr(file, "owner")
    file.write_text("short")
    with pytest.raises(ReleaseError, match="is no key"):
        releases.secret(file)
