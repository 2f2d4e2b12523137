"""Load while something happens: whichever of the two ends first, the other ends too."""

import threading

import pytest

from fsdl_deploy.scaling.asking import Asking
from fsdl_deploy.scaling.failures import under_load


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
