"""Load while something happens: whichever of the two ends first, the other ends too."""

import threading
from collections import Counter

import numpy as np
import pytest

from fsdl_deploy.measuring.load import Load
from fsdl_deploy.scaling import rounds
from fsdl_deploy.scaling.asking import Asking
from fsdl_deploy.scaling.failures import Trial, under_load
from fsdl_deploy.scaling.rounds import Round, summary


class Answers(Asking):
    """Callers who are always answered, without a server."""

    def __init__(self):
        super().__init__("http://127.0.0.1:1/read", b"card")

    def __call__(self):
        self.answers[self.port] += 1


def test_an_event_that_never_ends_by_itself_ends_with_the_load():
    stop, ended = threading.Event(), []
    trial = under_load(Answers(), 50, lambda: ended.append(stop.wait(60)), around=0.1, longest=0.5, stop=stop)
    assert ended == [True] and trial.lost == 0 < trial.load.requests


@pytest.mark.parametrize("rate", [float("inf"), float("nan")])
def test_where_no_load_can_begin_nothing_happens_to_the_replicas(rate):
    happened = []
    with pytest.raises(ValueError, match="finite"):
        under_load(Answers(), rate, lambda: happened.append(1), around=60)
    assert not happened


def test_a_standstill_of_the_meter_is_said_and_is_no_loss(capsys):
    load = Load(3, 1.0, np.ones(3), np.ones(3), never_sent=943, stood_still=26.04)
    played = Round("kill -9", Trial(load, Counter({1: 3}), 0, 0), "a line of the log")
    played.show(0)
    printed = capsys.readouterr().out
    sentence = "the meter itself stood still for 26.0 s; never sent: 943"
    assert "0 of 3 lost" in printed and sentence in printed and "a line" not in printed
    assert sentence in str(summary([played])) and rounds.still(load) == {"never_sent": 943, "stood_still": 26}
