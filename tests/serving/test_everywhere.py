"""The comparison of every server: our service in all formats, one that differs, one that is not here."""

from contextlib import contextmanager

import pytest

from fsdl_course import cli
from fsdl_course.serving import everywhere, our_service
from fsdl_deploy.cards import cards
from fsdl_deploy.reader import OnnxReader
from fsdl_deploy.running.course_servers import course_server
from fsdl_deploy.running.stations import StationError


@pytest.fixture(scope="module")
def deck():
    return [card.image for card in cards(4, seed=3)]


@pytest.fixture(scope="module")
def expected(deck):
    readings = [OnnxReader().read([image])[0] for image in deck]
    return [(reading.digits, reading.confidence) for reading in readings]


def test_every_format_of_the_service_gives_the_readers_bits(deck, expected):
    differences = everywhere.compare(
        deck, expected, {"our service": our_service.our_service}, say=lambda _: None
    )
    assert len(differences) == 11 and set(differences.values()) == {(0, 0.0)}


def test_another_model_is_noticed(deck, expected):
    @contextmanager
    def older():
        with course_server("serve", "--version", "v1") as server:
            yield {"v1": our_service.Service(server.url).formats["service, JSON"]}

    messages = []
    differences = everywhere.compare(deck, expected, {"older": older}, messages.append)
    assert differences["v1"][1] > 1e-6 and "differ" in messages[0]


def test_a_last_bit_is_noticed(deck, expected):
    @contextmanager
    def nearly():
        answers = iter([(digits, float(confidence) * (1 - 1e-7)) for digits, confidence in expected])
        yield {"nearly": lambda _: next(answers)}

    assert everywhere.compare(deck, expected, {"nearly": nearly}, lambda _: None)["nearly"][1] > 0


def test_what_is_not_here_is_named_and_nothing_compared_is_no_success(deck, expected, monkeypatch, capsys):
    @contextmanager
    def missing():
        raise StationError("The station x is not built: run `make station NAME=x`")
        yield

    messages = []
    assert everywhere.compare(deck, expected, {"x": missing}, messages.append) == {}
    assert messages[0].split()[:2] == ["x", "skipped:"]
    monkeypatch.setattr(everywhere, "ways", lambda: {"x": missing})
    assert cli.main(["everywhere", "--cards", "1"]) == 1
    assert cli.main(["everywhere", "--cards", "0"]) == 1
    assert "--cards must be at least 1" in capsys.readouterr().err
