"""Callers with a kept-alive connection: which of its ends is a race, and which a lost request."""

from types import SimpleNamespace

import pytest

from fsdl_deploy.scaling import asking
from fsdl_deploy.scaling.asking import Asking

ANSWER = SimpleNamespace(status=200, headers={})


class Racing(Asking):
    """A caller whose kept connection ends ``after`` seconds; to prepare a request takes ``preparing``."""

    def __init__(self, clock, preparing, after):
        super().__init__("http://127.0.0.1:1/read", b"card")
        self.clock, self.preparing, self.after = clock, preparing, after
        self._mine.connection = SimpleNamespace(sock=None)

    def request(self):
        self.clock[0] += self.preparing
        return super().request()

    def _ask(self, connection, body, headers):
        if connection is not None:
            self.clock[0] += self.after
            raise ConnectionResetError("the proxy has closed it")
        return ANSWER, b""


@pytest.fixture
def clock(monkeypatch):
    now = [0.0]
    monkeypatch.setattr(asking, "time", SimpleNamespace(monotonic=lambda: now[0]))
    return now


@pytest.mark.parametrize(("preparing", "after"), [(0, 0.01), (0, 1.5), (30, 1.5)])
def test_a_busy_machine_hears_late_that_a_connection_was_closed(clock, preparing, after):
    caller = Racing(clock, preparing, after)
    caller()
    assert caller.reopened == 1 and caller.answers.total() == 1


def test_a_connection_that_ends_in_the_middle_of_a_reading_is_a_lost_request(clock):
    caller = Racing(clock, 0, 5)
    with pytest.raises(ConnectionResetError):
        caller()
    assert caller.reopened == caller.answers.total() == 0
