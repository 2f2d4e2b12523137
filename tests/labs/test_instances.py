"""What plays a handler of lab 06: it sees who loads, waits and answers; and the sandbox has it, too."""

import threading

from fsdl_course.labs.backends.unprotected import Unprotected
from fsdl_course.labs.instances import play
from fsdl_course.labs.sandbox import Sandbox


def keeping(load):
    """A handler that is right."""
    lock, kept = threading.Lock(), []

    def handler(card):
        with lock:
            if not kept:
                try:
                    kept.append(load())
                except Exception:
                    return 503, "no model"
        try:
            return 200, kept[0](card)
        except ValueError:
            return 422, "no reading"

    return handler


def seen(loads, at_once=1, before=0, in_turns=0):
    counts = {"loads": loads, "loads at once": at_once, "loads before a call": before}
    return counts | {"read in turns": in_turns}


def test_each_instance_has_its_own_model_and_each_failed_load_another_reason():
    waves = [[0, ["1"]], [0, ["2"]], [0, ["3"]], [1, ["4"]], [0, ["torn"]]]
    answers = [["503 no model"], ["503 no model"], ["200 v1"], ["200 v2"], ["422 no reading"]]
    assert play(keeping, ["", "", "v1", "v2"], waves) == {"answers": answers, **seen(4)}


def test_of_a_wave_one_loads_and_all_are_read_together():
    played = play(keeping, ["", "v1"], [[0, ["1", "2", "3"]], [0, ["4", "torn"]]])
    answers = [["200 v1", "200 v1", "503 no model"], ["200 v1", "422 no reading"]]
    assert played == {"answers": answers, **seen(2)}


def test_a_model_that_is_loaded_early_or_twice_is_seen():
    def early(load):
        model = load()
        return lambda card: (200, model(card))

    assert play(early, ["v1"], [[0, ["1"]]]) == {"answers": [["200 v1"]], **seen(1, before=1)}
    twice = play(lambda load: lambda card: (200, load()(card)), ["v1"], [[0, ["1", "2"]]])
    assert twice["loads at once"] == twice["loads"] == 2


def test_reading_one_after_the_other_is_seen():
    def in_turn(load):
        lock, model = threading.Lock(), load()

        def handler(card):
            with lock:
                return 200, model(card)

        return handler

    assert play(in_turn, ["v1"], [[0, ["1", "2"]]])["read in turns"] == 1


def test_an_error_another_ones_reading_and_a_wrong_status_are_shown():
    def careless(load):
        model = load()
        answers = {"1": lambda: (200, model("2")), "2": lambda: ("200", "v1 2"), "3": lambda: None}
        return lambda card: answers[card]()

    played = play(careless, ["v1"], [[0, [card]] for card in "1234"])["answers"]
    assert [answer for (answer,) in played] == [
        "200 v1 2, which is no reading of this card",
        "'200' v1 2",
        "TypeError: cannot unpack non-iterable NoneType object",
        "KeyError: '4'",
    ]


def test_a_handler_that_waits_for_itself_is_given_up(monkeypatch):
    monkeypatch.setattr("fsdl_course.labs.instances.PATIENCE", 0.2)
    ended = threading.Event()

    def waiting(load):
        return lambda card: (ended.wait(20), (200, "late"))[1]

    assert play(waiting, ["v1"], [[0, ["1"]], [0, ["2"]]])["answers"] == [["no answer"]]
    ended.set()


def test_the_sandbox_has_it():
    cells = [
        "from fsdl_course.labs.instances import play",
        "def make_handler(load):\n    model = load()\n    return lambda card: [200, model(card)]",
        "def played(loads, waves):\n    return play(make_handler, loads, waves)",
    ]
    with Sandbox(cells, Unprotected()) as sandbox:
        assert sandbox.errors == {}
        answers = sandbox.call("played", [["v1"], [[0, ["1"]]]], 2).value
    assert answers == {"answers": [["200 v1"]], **seen(1, before=1)}
