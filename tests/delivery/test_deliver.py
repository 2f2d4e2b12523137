"""Delivery: a gate for each kind of bad commit, and a kill between any two of them harms nobody."""

import json
import shutil
import subprocess
import sys

import onnx
import pytest

from fsdl_deploy import cli, weights
from fsdl_deploy.delivery import deliver as delivery
from fsdl_deploy.delivery import gates as delivery_gates
from fsdl_deploy.delivery import releases
from fsdl_deploy.delivery.deliver import GATES, DeliveryError, deliver
from fsdl_deploy.delivery.gates import Commit, worse
from fsdl_deploy.delivery.package import FILE, published
from fsdl_deploy.delivery.released_reader import ReleasedReader
from fsdl_deploy.measuring.accuracy import paired_p
from fsdl_deploy.models import Student
from fsdl_deploy.reader import OnnxReader
from fsdl_deploy.training.recipes import Phase, Recipe

KEY = b"k" * 64


def passes(champion, candidate, key):
    return ""


def commit(version="v2", **other):
    given = {"packaging": published(version), "cards": 60, "levels": ("clean",), "canary": passes} | other
    return Commit(version, **given)


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    """A store in which v1 is served as ``spring``."""
    store = tmp_path_factory.mktemp("delivery")
    deliver(store, "spring", commit("v1"), KEY)
    return store


@pytest.fixture
def store(kept, tmp_path):
    shutil.copytree(kept, tmp_path / "store")
    return tmp_path / "store"


def refusal(store, name, bad, **how):
    """The sentence with which a commit is refused; the champion is served as before."""
    with pytest.raises(DeliveryError) as error:
        deliver(store, name, bad, KEY, **how)
    assert releases.serving(store).release == "spring"
    assert "\n" not in str(error.value)
    return str(error.value)


def test_one_command_from_the_commit_to_what_is_served(store, monkeypatch):
    result = deliver(store, "summer", commit(), KEY)
    assert list(result.passed) == list(GATES) and result.champion == "spring"
    assert releases.serving(store) == releases.Serving("summer", ("spring",))
    reader = ReleasedReader(releases.home(store, "summer"), KEY)
    drawn = delivery_gates.deck(60, "clean")
    digits = [reading.digits for reading in reader.read([card.image for card in drawn])]
    right = sum(a == card.truth for a, card in zip(digits, drawn, strict=True))
    assert right == result.passed["evaluate"]["levels"]["clean"]["right"] > 50
    monkeypatch.setenv("FSDL_MODELS", str(releases.home(store, "summer")))
    served = OnnxReader("reader").read([card.image for card in drawn])
    assert [reading.digits for reading in served] == digits, "the folder is one that a service can load"
    assert releases.roll_back(store).release == "spring"
    with pytest.raises(DeliveryError, match="promoted and rolled back"):
        deliver(store, "summer", commit(), KEY)


def test_a_training_that_does_not_learn(store):
    untrained = commit("", recipe=Recipe(Student, (), seed=1))
    assert "train refuses idle: the training has not learned" in refusal(store, "idle", untrained)


@pytest.mark.thorough
def test_a_training_whose_learning_rate_is_nothing(store):
    stuck = commit("", recipe=Recipe(Student, (Phase(3, 0.0),), seed=1), pool=100)
    assert "train refuses stuck: the training has not learned" in refusal(store, "stuck", stuck)


def test_worse_than_the_champion_on_the_same_cards(store):
    deliver(store, "summer", commit(), KEY)
    with pytest.raises(DeliveryError, match="evaluate refuses autumn: clean cards: the champion reads more"):
        deliver(store, "autumn", commit("v1"), KEY)
    assert releases.serving(store).release == "summer"
    assert not releases.home(store, "autumn").exists()


def test_a_bug_that_easy_cards_do_not_show_is_for_other_cards_to_find(store):
    deliver(store, "summer", commit(), KEY)
    result = deliver(store, "winter", commit("v3-bad"), KEY, until="package")
    assert "evaluate" in result.passed
    with pytest.raises(DeliveryError, match="hard cards: the champion reads more"):
        deliver(store, "winter2", commit("v3-bad", levels=("clean", "hard")), KEY)


@pytest.mark.parametrize(("fixed", "broken"), [(0, 6), (2, 12), (10, 30)])
def test_by_pairs_what_is_more_than_chance_is_worse(fixed, broken):
    assert paired_p(fixed, broken) < 0.05 and "the champion reads more" in worse(10_000, fixed, broken)
    assert worse(10_000, broken, fixed) == ""


def test_too_few_cards_are_no_proof():
    assert "too few" in worse(20, 0, 0) and "too few" in worse(100, 1, 3)
    assert worse(500, 3, 4) == "" and worse(60, 12, 0) == ""


def test_weights_changed_before_they_are_signed(store):
    deliver(store, "summer", commit(), KEY, until="evaluate")
    model = store / "deliveries" / "summer" / "model"
    (model / "reader.safetensors").write_bytes(weights.verified("v1.safetensors"))
    assert "sign refuses summer: the weights are not those" in refusal(store, "summer", commit())


def test_a_file_changed_after_it_was_signed(store):
    deliver(store, "summer", commit(), KEY, until="sign")
    file = store / "deliveries" / "summer" / "model" / "reader.safetensors"
    file.write_bytes(file.read_bytes()[:-1] + b"\0")
    assert "package refuses summer: reader.safetensors of model was changed" in refusal(
        store, "summer", commit()
    )


def test_the_sealed_model_of_another_delivery(store):
    deliver(store, "summer", commit(), KEY, until="sign")
    model = store / "deliveries" / "summer" / "model"
    shutil.rmtree(model)
    shutil.copytree(store / "deliveries" / "spring" / "model", model)
    assert "package refuses summer: model is sealed, but as spring" in refusal(store, "summer", commit())


@pytest.mark.parametrize("last", ["package", "canary"])
def test_a_package_changed_after_it_was_checked(store, last):
    deliver(store, "summer", commit(), KEY, until=last)
    (releases.home(store, "summer") / FILE).write_bytes(weights.verified("v1.onnx"))
    assert "reader.onnx of summer was changed" in refusal(store, "summer", commit())


def forgetful(model, into):
    (into / "notes.txt").write_text("the graph follows")


def of_one_width(model, into):
    graph = onnx.load_model_from_string(weights.verified("v2.onnx"))
    graph.graph.input[0].type.tensor_type.shape.dim[2].dim_value = 160
    (into / FILE).write_bytes(graph.SerializeToString())


def of_floats(model, into):
    graph = onnx.load_model_from_string(weights.verified("v2.onnx"))
    graph.graph.input[1].type.tensor_type.elem_type = onnx.TensorProto.FLOAT
    (into / FILE).write_bytes(graph.SerializeToString())


def torn(model, into):
    (into / FILE).write_bytes(weights.verified("v2.onnx")[:1000])


def with_another_name(model, into):
    graph = onnx.load_model_from_string(weights.verified("v2.onnx"))
    graph.graph.output[2].name = graph.graph.node[-1].output[0] = "sureness"
    (into / FILE).write_bytes(graph.SerializeToString())


@pytest.mark.parametrize(
    ("packaging", "message"),
    [
        (forgetful, "reader.onnx is missing"),
        (of_one_width, "pictures has a fixed size, 160"),
        (of_floats, "reader.onnx cannot be loaded|widths is tensor"),
        (torn, "reader.onnx cannot be loaded"),
        (published("v1"), "answers otherwise than the weights"),
        (published("v3-bad"), "answers otherwise than the weights"),
    ],
)
def test_a_package_that_is_not_what_was_evaluated(store, packaging, message):
    sentence = refusal(store, "summer", commit(packaging=packaging))
    assert sentence.startswith("package refuses summer: ")
    assert any(part in sentence for part in message.split("|")), sentence
    assert not releases.home(store, "summer").exists()


def rolled_back(champion, candidate, key):
    assert (champion.name, candidate.name) == ("spring", "summer") and key == KEY
    return "too many implausible readings at 5%"


def test_a_canary_that_the_guardrails_take_back(store):
    sentence = refusal(store, "summer", commit(canary=rolled_back))
    assert sentence == "canary refuses summer: rolled back: too many implausible readings at 5%"


def test_the_course_s_own_canary_finds_the_bug_that_clean_cards_hide(store):
    deliver(store, "summer", commit(), KEY)
    folders = [releases.home(store, name) for name in ("spring", "summer")]
    canary = delivery_gates.customers_canary
    assert canary(*folders, KEY) == "" and "implausible" in canary(*folders[::-1], KEY)


def test_a_refusal_is_final(store):
    first = refusal(store, "summer", commit(canary=rolled_back))
    assert first.removeprefix("canary refuses summer: ") in refusal(
        store, "summer", commit(canary=rolled_back)
    )
    delivery.forget(store, "summer")
    with pytest.raises(DeliveryError, match="another commit"):
        deliver(store, "spring", commit("v2"), KEY)
    with pytest.raises(DeliveryError, match="is served"):
        delivery.forget(store, "spring")


def test_a_champion_that_changed_meanwhile(light_store):
    store = light_store
    deliver(store, "summer", commit(), KEY, LIGHT, until="canary")
    deliver(store, "hotfix", commit(), KEY, LIGHT)
    with pytest.raises(DeliveryError, match="compared with spring, and by now hotfix is served"):
        deliver(store, "summer", commit(), KEY, LIGHT)
    assert releases.serving(store).release == "hotfix"


def light(work):
    """A gate that looks at nothing."""
    return {"summary": "passed"}


def light_package(work):
    work.release.mkdir(parents=True, exist_ok=True)
    releases.seal(work.release, work.key, name=work.name)
    return light(work)


LIGHT = dict.fromkeys(GATES, light) | {"package": light_package, "promote": GATES["promote"]}
"""The order of the gates, their state and the last of them are real; the networks are left out."""


@pytest.fixture
def light_store(tmp_path):
    deliver(tmp_path / "store", "spring", commit("v1"), KEY, LIGHT)
    return tmp_path / "store"


class Killed(BaseException):
    """As a kill: no handler of the code that it meets is for it."""


def counted(calls, name, kill_before=False, kill_after=False):
    def gate(work):
        if kill_before:
            raise Killed
        calls.append(name)
        result = LIGHT[name](work)
        if kill_after:
            raise Killed
        return result

    return gate


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("name", list(GATES))
def test_killed_around_any_gate_it_goes_on_there(light_store, name, moment):
    store = light_store
    calls = []
    kill = {f"kill_{moment}": True}
    gates = {gate: counted(calls, gate, **(kill if gate == name else {})) for gate in GATES}
    with pytest.raises(Killed):
        deliver(store, "summer", commit(), KEY, gates)
    promoted = name == "promote" and moment == "after"
    assert releases.serving(store).release == ("summer" if promoted else "spring")
    again = []
    deliver(store, "summer", commit(), KEY, {gate: counted(again, gate) for gate in GATES})
    assert again == list(GATES)[list(GATES).index(name) :], "what was passed is not done again"
    assert releases.serving(store) == releases.Serving("summer", ("spring",))


def test_killed_while_the_state_is_written(light_store, monkeypatch):
    store = light_store

    def killed(*_):
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(delivery, "_keep", killed)
        with pytest.raises(Killed):
            deliver(store, "summer", commit(), KEY, LIGHT)
    assert deliver(store, "summer", commit(), KEY, LIGHT).champion == "spring"


def test_two_deliveries_at_once(light_store):
    store = light_store
    with delivery._alone(store), pytest.raises(DeliveryError, match="another delivery is at work"):
        # another process would wait for the same lock: a second lock of this one stands for it
        deliver(store, "summer", commit(), KEY, LIGHT)


PROGRAM = """
import os, sys
from pathlib import Path
from fsdl_deploy.reader import OnnxReader
from fsdl_deploy.delivery import deliver as delivery, releases
from tests_of_delivery import commit, KEY
from tests_of_delivery import LIGHT as real
def dies(work):
    real["promote"](work) if sys.argv[2] == "after" else None
    os._exit(9)
delivery.deliver(Path(sys.argv[1]), "summer", commit(), KEY, real | {"promote": dies})
"""


@pytest.mark.parametrize(("moment", "served"), [("before", "spring"), ("after", "summer")])
def test_a_process_that_dies_at_the_last_gate(light_store, tmp_path, moment, served):
    store = light_store
    shutil.copy(__file__, tmp_path / "tests_of_delivery.py")
    words = [sys.executable, "-c", PROGRAM, str(store), moment]
    assert subprocess.run(words, cwd=tmp_path, timeout=300).returncode == 9
    assert releases.serving(store).release == served
    deliver(store, "summer", commit(), KEY, LIGHT)
    assert releases.serving(store) == releases.Serving("summer", ("spring",))


DAMAGED = ["{", "[]", "7", '{"commit": "c", "champion": null, "colour": "red"}', '{"commit": "c"}',
           '{"commit": "c", "champion": null, "passed": ["train"]}',
           '{"commit": "c", "champion": null, "refused": {"gate": "train"}}']  # fmt: skip


@pytest.mark.parametrize("text", DAMAGED)
def test_a_damaged_state_is_named_and_hides_no_other_delivery(light_store, capsys, text):
    words = ["delivery", "deliver", "--store", str(light_store), "--status"]
    file = light_store / "deliveries" / "broken" / delivery.STATE
    file.parent.mkdir()
    file.write_text(text)
    assert cli.main(words) == 0
    printed = capsys.readouterr().out
    assert "served: spring" in printed and f"{file} is damaged" in printed
    assert any(line.startswith("spring") and "promote" in line for line in printed.splitlines())
    with pytest.raises(delivery.DeliveryError, match="damaged"):
        deliver(light_store, "broken", commit(), KEY, LIGHT)


def test_the_command(tmp_path, capsys):
    words = ["delivery", "deliver", "--store", str(tmp_path / "store")]
    few = ["--cards", "60", "--levels", "clean"]
    assert cli.main([*words, "spring", "--trained", "v1", *few]) == 0
    assert "serves instead of nothing" in capsys.readouterr().out
    assert cli.main([*words, "summer", "--trained", "v2", *few]) == 0
    assert "served: summer" in capsys.readouterr().out
    assert cli.main([*words, "autumn", "--trained", "v1", *few]) == 1
    captured = capsys.readouterr()
    assert "evaluate refuses autumn" in captured.err and captured.err.count("\n") == 1
    assert cli.main([*words, "--status"]) == 0
    assert "evaluate: clean cards: the champion reads more" in capsys.readouterr().out
    assert cli.main([*words, "--rollback"]) == 0
    assert "spring is served again, summer is not" in capsys.readouterr().out
    assert cli.main(words) == 1 and "give the new release a name" in capsys.readouterr().err
    assert json.loads((tmp_path / "store" / releases.POINTER).read_text())["release"] == "spring"
