"""The rounds: with the recommended settings no event costs a request; with others the cost is explained."""

import json

import pytest

from fsdl_deploy import cli
from fsdl_deploy.running import stations
from fsdl_deploy.scaling import rounds
from fsdl_deploy.scaling.rounds import EVENTS, play, summary


@pytest.fixture(autouse=True)
def _built():
    station = stations.station("nginx")
    if not station.built:
        pytest.skip(station.not_built())


def test_no_event_costs_a_request(make_fake, capsys):
    played = play(1, rate=15, seconds=2.5, server=make_fake(0.1))
    assert [each.event for each in played] == list(EVENTS)
    assert all(each.trial.lost == 0 < each.trial.load.requests for each in played)
    assert [each.explained() for each in played] == [each.trial.load.standstill for each in played]
    answered = {each.event: len(each.trial.answers) for each in played}
    assert answered["scale up"] == answered["scale down"] == 4 and answered["balancer reload"] == 3
    assert capsys.readouterr().out.count(": 0 of ") == len(EVENTS)
    assert "kill -9" in str(summary(played)) and "new connection" in str(summary(played))


def test_a_lost_request_is_explained_by_what_the_balancer_wrote(make_fake):
    (killed,) = play(1, 30, 2.5, events=["kill -9"], server=make_fake(0.3), retry="none")
    assert killed.trial.lost > 0
    assert "Lost: status 502" in killed.explained() and "balancer:" in killed.explained()


def test_the_command_says_by_its_exit_status_whether_all_was_well(monkeypatch, tmp_path, capsys, make_fake):
    lost = iter([0, 1])

    def one_of_two(count, rate, seconds, balancer, events):
        retry = "none" if next(lost) else "all"
        return play(count, 30, 2.5, balancer, events, server=make_fake(0.3), retry=retry)

    monkeypatch.setattr(rounds, "play", one_of_two)
    record = tmp_path / "rounds.json"
    words = ["scaling", "rounds", "--rounds", "1", "--events", "kill -9", "--json", str(record)]
    assert cli.main(words) == 0
    (row,) = json.loads(record.read_text())
    assert row["event"] == "kill -9" and row["lost"] == 0 < row["requests"]
    assert cli.main(words) == 1


BAD = [["--rounds", "0"], ["--rate", "-1"], ["--seconds", "0"], ["--rate", "inf"], ["--seconds", "nan"]]


@pytest.mark.parametrize("bad", BAD)
def test_numbers_that_make_no_round_are_refused_in_a_sentence(bad, capsys):
    assert cli.main(["scaling", "rounds", *bad]) == 1
    assert "must be above 0" in capsys.readouterr().err
