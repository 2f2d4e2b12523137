"""The disk is asked before it is full."""

import json
import os
from types import SimpleNamespace

import pytest

from fsdl_course.setup import disk, store
from fsdl_course.setup.disk import GB, MB
from fsdl_deploy.paths import ROOT
from fsdl_deploy.running import stations


@pytest.fixture
def root(tmp_path):
    (tmp_path / "infra").mkdir()
    sizes = {"core": {"size": 2 * GB, "added": 2 * GB, "seconds": 60.0}}
    sizes["tool"] = {"size": 500 * MB, "added": 100 * MB, "seconds": 100.0}
    (tmp_path / disk.RECORD).write_text(json.dumps({"environments": sizes}))
    return tmp_path


def short(root, free, *names, environ=None):
    usage = {"usage": lambda path: SimpleNamespace(free=free)}
    return disk.shortage(names, root, environ=environ or {"FSDL_STORE": str(root / "store")}, **usage)


def test_what_is_needed_is_what_is_new(root):
    assert short(root, 3 * GB, "core", "tool") is None
    sentence = short(root, 2 * GB, "core", "tool")
    assert "2.0 GB free and 2.4 GB are needed" in sentence and sentence.count("\n") == 0
    assert short(root, 450 * MB, "tool") is None and short(root, 350 * MB, "tool")
    assert short(root, 0, "nobody knows") is None


def test_what_an_interrupted_set_up_fetched_is_not_asked_for_again(root):
    (root / "store").mkdir()
    (root / "store" / "fetched").write_bytes(os.urandom(5 * MB))
    before = short(root, 350 * MB, "tool")
    (root / "store" / "linked").write_bytes(os.urandom(60 * MB))
    assert before and short(root, 350 * MB, "tool") is None
    os.link(root / "store" / "linked", root / "an environment has it")
    assert short(root, 350 * MB, "tool")


def test_files_that_go_while_they_are_counted_are_nobodys_error(tmp_path, monkeypatch):
    (tmp_path / "there").write_bytes(b"x" * 5000)
    monkeypatch.setattr(disk.os, "walk", lambda folder: [(str(tmp_path), [], ["gone", "there"])])
    assert 5000 <= disk.in_store(tmp_path, linked=False) <= 2 * 8192


def test_without_a_record_nothing_is_asked(tmp_path):
    assert disk.sizes(tmp_path) == {} and short(tmp_path, 0, "core") is None
    (tmp_path / "infra").mkdir()
    (tmp_path / disk.RECORD).write_text("not json")
    assert disk.sizes(tmp_path) == {}


def test_links_of_one_file_count_once(tmp_path):
    first, second = tmp_path / "first", tmp_path / "second"
    for folder in (first, second, first / "stations"):
        folder.mkdir()
    (first / "file").write_bytes(os.urandom(MB))
    (first / "stations" / "other").write_bytes(os.urandom(MB))
    os.link(first / "file", second / "file")
    (second / "own").write_bytes(os.urandom(2 * MB))
    (size, added), (other, new) = disk.taken([first, second])
    assert size == added and MB <= size < 1.2 * MB
    assert 3 * MB <= other < 3.3 * MB and 2 * MB <= new < 2.2 * MB


def test_the_record_has_every_station_and_fits_the_promise():
    known = disk.sizes()
    assert known.keys() == {"core", *stations.stations()}
    assert known["core"].added <= 2 * GB
    wings = {name: station.lock.parent.parent.name for name, station in stations.stations().items()}
    before = [size.added for name, size in known.items() if wings.get(name) not in ("scaling", "edge")]
    assert sum(before) <= 5.5 * GB
    everything = sum(size.added for size in known.values())
    assert everything <= 12 * GB
    assert f"fetches all, {everything / GB:.0f} GB in all" in (ROOT / "README.md").read_text(encoding="utf-8")


# -- the store


def test_the_store_is_where_it_is_named_else_in_the_users_cache_else_beside_the_course(tmp_path):
    home = {"HOME": str(tmp_path), "USERPROFILE": str(tmp_path), "LOCALAPPDATA": str(tmp_path)}
    root = tmp_path / "course"
    uv = home | {"UV_CACHE_DIR": str(tmp_path / "uv")}
    assert store.place(root, uv) == tmp_path / "uv"
    assert store.place(root, uv | {"FSDL_STORE": str(tmp_path / "stick")}) == tmp_path / "stick"
    shared = store.place(root, home)
    assert shared.name == "fsdl-deploy" and tmp_path in shared.parents
    (root / ".venv" / "store").mkdir(
        parents=True
    )  # where there is one already, another would be made in vain
    assert store.place(root, home) == root / ".venv" / "store"
    assert store.place(tmp_path, {}) == tmp_path / ".venv" / "store"


def test_links_do_not_reach_another_disk(tmp_path, monkeypatch):
    monkeypatch.setattr(store, "same_disk", lambda first, other: False)
    home = {"HOME": str(tmp_path), "USERPROFILE": str(tmp_path), "LOCALAPPDATA": str(tmp_path)}
    assert store.place(ROOT / "nowhere", home) == ROOT / "nowhere" / ".venv" / "store"


def test_what_an_interrupted_set_up_left_half_unpacked_goes_after_a_while(tmp_path):
    (tmp_path / ".tmpAB").mkdir()
    (tmp_path / ".tmpAB" / "half").touch()
    (tmp_path / "archive").mkdir()
    store.tidy(tmp_path)
    assert (tmp_path / ".tmpAB" / "half").exists()
    os.utime(tmp_path / ".tmpAB", (0, 0))
    store.tidy(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["archive"]
    store.tidy(tmp_path / "not there")
