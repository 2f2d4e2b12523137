import json
from dataclasses import replace

import numpy as np
import pytest
import torch

from fsdl_deploy import weights
from fsdl_deploy.models import Student
from fsdl_deploy.reader import EvenReader, OnnxReader, TorchReader
from fsdl_deploy.training import train as training
from fsdl_deploy.training.pool import Pool
from fsdl_deploy.training.train import LONG, QUICK, Phase, publish, schedule, train

TINY = replace(QUICK["v2"], phases=(Phase(4, 6e-3), Phase(2, 1e-3, 0.3)))


@pytest.fixture(scope="module")
def pool(tmp_path_factory):
    return Pool.drawn(100, tmp_path_factory.mktemp("pool"))


@pytest.fixture(autouse=True)
def small_steps(monkeypatch):
    monkeypatch.setattr(training, "CHECKPOINT_STEPS", 2)
    monkeypatch.setattr(training, "BATCH", 4)


def same(a, b):
    return all(
        torch.equal(x, y) for x, y in zip(a.state_dict().values(), b.state_dict().values(), strict=True)
    )


def test_killed_training_goes_on_to_the_same_weights(pool, tmp_path, monkeypatch):
    undisturbed = train("a", TINY, pool, tmp_path)
    step = training.train_step

    def killed(network, optimizer, recipe, pool, number, teacher):
        if number == 5:
            raise KeyboardInterrupt
        return step(network, optimizer, recipe, pool, number, teacher)

    monkeypatch.setattr(training, "train_step", killed)
    with pytest.raises(KeyboardInterrupt):
        train("b", TINY, pool, tmp_path)
    done = []
    monkeypatch.setattr(training, "train_step", lambda *a: done.append(a[4]) or step(*a))
    assert same(train("b", TINY, pool, tmp_path), undisturbed)
    assert done == [4, 5], "at most the steps since the last checkpoint are done again"
    done.clear()
    assert same(train("b", TINY, pool, tmp_path), undisturbed) and not done


def test_training_moves_the_weights_and_draws_a_curve(pool, tmp_path):
    torch.manual_seed(TINY.seed)
    fresh = Student()
    assert not same(train("c", TINY, pool, tmp_path), fresh)
    rows = [json.loads(line) for line in (tmp_path / "c.jsonl").read_text().splitlines()]
    assert rows[-1]["step"] == 6 and rows[-1]["loss"] > 0


def test_a_checkpoint_of_another_recipe_is_refused(pool, tmp_path):
    train("d", TINY, pool, tmp_path)
    with pytest.raises(ValueError, match="another recipe"):
        train("d", replace(TINY, phases=(Phase(8, 6e-3),)), pool, tmp_path)


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


def test_schedule_warms_up_falls_and_starts_again_lower():
    recipe = LONG["teacher"]
    first, second, third = recipe.phases
    rates, phases, longest = zip(*(schedule(step, recipe) for step in range(recipe.steps)), strict=True)
    assert max(rates) == pytest.approx(first.peak) and rates[0] < first.peak / 50
    top = int(np.argmax(rates))
    assert list(rates[:top]) == sorted(rates[:top])
    assert list(rates[top : first.steps]) == sorted(rates[top : first.steps], reverse=True)
    assert rates[first.steps] == second.peak > rates[first.steps - 1] and rates[-1] < first.peak / 1e3
    assert phases[0] is first and phases[first.steps] is second and phases[-1] is third
    assert first.strength == 1.0 > third.strength
    assert longest[0] == 3 and set(longest[first.steps // 2 :]) == {9}


@pytest.mark.thorough
def test_published_models_are_verified_and_agree(tmp_path, monkeypatch):
    torch.manual_seed(0)
    into = tmp_path / "models"
    publish({"v2": Student().eval()}, (0.9, 0.2), tmp_path / "staging", into)
    monkeypatch.setenv("FSDL_MODELS", str(into))
    image = np.random.default_rng(0).integers(0, 256, (64, 200), dtype=np.uint8)
    onnx, pytorch = OnnxReader("v2").read([image])[0], TorchReader("v2").read([image])[0]
    assert onnx.digits == pytorch.digits and onnx.confidence == pytest.approx(pytorch.confidence, abs=1e-4)
    assert sorted(file.name for file in into.iterdir()) == [
        "SHA256SUMS",
        "v2-even.onnx",
        "v2.onnx",
        "v2.safetensors",
    ]
    even = EvenReader().read([image])[0]
    assert even.digits == onnx.digits and even.confidence == pytest.approx(onnx.confidence, abs=0.05)
    assert weights.metadata(weights.verified("v2.safetensors"))["version"] == "v2"
