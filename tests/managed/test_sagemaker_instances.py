"""Instances follow the wishes: what is wished for runs, what is not ends, a failed start has to wait."""

import time

import pytest

from fsdl_deploy.managed import sagemaker_instances
from fsdl_deploy.managed.sagemaker_wishes import Variant, Wish
from fsdl_deploy.running import waiting
from fsdl_deploy.running.servers import ServerError

MACHINE, QUIET = Variant("blue", "v2", 1.0), Variant("only", "v2", 1.0, at_once=2)


class FakeServer:
    """A server that starts at once, or fails."""

    url = "http://127.0.0.1:1"

    def __init__(self):
        self.running, self.starts, self.fails = False, 0, False

    def start(self):
        self.starts += 1
        if self.fails:
            raise ServerError("it died\n--- the end of its log ---")
        self.running = True

    def stop(self):
        self.running = False


@pytest.fixture
def instances(monkeypatch):
    monkeypatch.setattr(sagemaker_instances, "course_server", lambda *words, **options: FakeServer())
    known = sagemaker_instances.VariantInstances(idle=0.05)
    yield known
    known.stop()


def until(condition):
    waiting.until(condition, 10, TimeoutError, "it", pause=0.01)


def test_machines_run_from_the_wish_on_and_end_with_it(instances):
    wish = Wish("meter", "c1", (MACHINE,))
    instances.follow({"meter": wish})
    instance = instances.of(wish, MACHINE)
    until(lambda: instance.server.running)
    until(lambda: instances.states(wish)["blue"]["running"])
    instances.follow({"meter": wish})
    assert instance.server.starts == 1
    instances.follow({})
    until(lambda: not instance.server.running)
    with pytest.raises(ServerError):
        instances.of(wish, MACHINE)
    with pytest.raises(ServerError, match="ended"):  # a start that was already asked for comes too late
        instance.started()


def test_one_that_died_is_started_again_and_one_that_cannot_start_is_given_time(instances):
    wish = Wish("meter", "c1", (MACHINE,))
    instances.follow({"meter": wish})
    instance = instances.of(wish, MACHINE)
    until(lambda: instance.server.running)
    instance.server.running = False
    instances.follow({"meter": wish})
    until(lambda: instance.server.starts == 2)
    instance.server.running, instance.server.fails = False, True
    until(lambda: instances._done(instances.key(wish, MACHINE)))
    instances.follow({"meter": wish})
    until(lambda: instance.problem == "it died")
    for _ in range(5):
        instances.follow({"meter": wish})
    assert instance.server.starts == 3 and not instances.states(wish)["blue"]["running"]


def test_serverless_waits_for_a_request_and_ends_when_nobody_asks(instances):
    wish = Wish("quiet", "c1", (QUIET,))
    instances.follow({"quiet": wish})
    instance = instances.of(wish, QUIET)
    assert instance.server.starts == 0
    instance.started()
    instance.running, instance.last = 1, time.monotonic() - 60
    instance.end_idle(0.05)
    assert instance.server.running  # somebody waits for its answer
    instance.running = 0
    instances.follow({"quiet": wish})
    until(lambda: not instance.server.running)
    assert instance.started() == FakeServer.url and instance.colds == 2


def test_another_version_under_the_same_names_is_another_instance(instances):
    wish, other = (Wish("meter", "c1", (Variant("blue", version, 1.0),)) for version in ("v2", "v1"))
    instances.follow({"meter": wish})
    old = instances.of(wish, wish.variants[0])
    until(lambda: old.server.running)
    instances.follow({"meter": other})
    assert instances.of(other, other.variants[0]) is not old
    until(lambda: not old.server.running and instances.states(other)["blue"]["running"])
    weighed = Wish("meter", "c1", (Variant("blue", "v1", 0.2),))
    before = instances.of(other, other.variants[0])
    instances.follow({"meter": weighed})
    assert instances.of(weighed, weighed.variants[0]) is before
