"""A store that is only asked: nothing is made, nothing written, and all that is stored is seen."""

import os
import shutil
import sqlite3

import pytest

from fsdl_deploy.batch.freshness import freshness
from fsdl_deploy.batch.store import Store, StoreError
from fsdl_deploy.cli import main


def filled(file):
    store = Store(file)
    run = store.begin("2026-10", "v2", 1)
    row = {"month": "2026-10", "customer": "C1", "model_version": "v2", "digits": "123", "confidence": 0.9}
    store.add(run, [{**row, "picture": "C1.png"}])
    store.finish(run)
    store.close()
    return file


def listed(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_asking_leaves_the_folder_as_it_was(tmp_path, capsys):
    file = filled(tmp_path / "readings.db")
    before = listed(tmp_path)
    assert main(["freshness", "--store", str(file)]) == 0
    asked = Store(file, read_only=True)
    assert asked.prediction("C1", "2026-10")["digits"] == "123" and len(asked.runs()) == 1
    with pytest.raises(StoreError, match="readonly"):
        asked.begin("2026-10", "v2", 1)
    asked.close()
    assert listed(tmp_path) == before


def test_a_mistyped_path_is_said_and_nothing_is_made(tmp_path, capsys):
    for command in ("freshness", "lookup"):
        assert main([command, "--store", str(tmp_path / "reedings.db")]) == 1
        assert "there is no store at" in capsys.readouterr().err
    (tmp_path / "empty.db").touch()
    assert main(["freshness", "--store", str(tmp_path / "empty.db")]) == 1
    assert "no tables of readings" in capsys.readouterr().err
    assert listed(tmp_path) == {"empty.db": b""}


def test_what_a_writer_has_just_stored_is_seen_and_what_comes_later_too(tmp_path):
    file = filled(tmp_path / "readings.db")
    asked, writer = Store(file, read_only=True), Store(file)
    assert len(asked.runs()) == 1
    writer.begin("2026-10", "v2", 1)
    assert len(asked.runs()) == 2, "the second run is in the log beside the file only"
    writer.close()
    assert len(asked.runs()) == 2


def test_the_log_of_a_killed_writer_is_read(tmp_path):
    file, copy = filled(tmp_path / "readings.db"), tmp_path / "copy"
    copy.mkdir()
    writer = sqlite3.connect(file)
    writer.execute("UPDATE runs SET error = 'a light went out'")
    writer.commit()
    for path in tmp_path.glob("readings.db*"):
        shutil.copy(path, copy)
    writer.close()
    assert "a light went out" in freshness(Store(copy / "readings.db", read_only=True)).sentence


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="takes root to be somebody else")
def test_somebody_who_may_only_read_gets_the_answer(tmp_path):
    file = filled(tmp_path / "readings.db")
    shutil.copy(file, "/var/tmp/asked-by-nobody.db")
    file = "/var/tmp/asked-by-nobody.db"
    try:
        os.chmod(file, 0o644)
        pid = os.fork()
        if pid == 0:  # as a program that is run by another user
            os.setgid(65534)
            os.setuid(65534)
            verdict = freshness(Store(file, read_only=True))
            os._exit(0 if verdict.fresh and not os.access(file, os.W_OK) else 1)
        assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    finally:
        os.unlink(file)


def test_postgresql_too(postgres):
    with pytest.raises(StoreError, match="no tables of readings"):
        Store(postgres.url, read_only=True).runs()
