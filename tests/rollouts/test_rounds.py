"""The rounds: no event costs a request, on nginx and on Envoy; a lost one is an exit status."""

import json

import pytest

from fsdl_deploy import cli
from fsdl_deploy.rollouts import rounds
from fsdl_deploy.rollouts.rounds import EVENTS, play, summary
from fsdl_deploy.scaling.failures import under_load

pytestmark = pytest.mark.station


def test_no_event_costs_a_request(proxy, fake, capsys):
    events = list(EVENTS) if proxy == "nginx" else ["rollout", "rollback"]  # each costs seconds
    played = play(1, rate=15, seconds=2, proxy=proxy, events=events, make=fake)
    assert [each.event for each in played] == events
    assert all(each.trial.lost == 0 < each.trial.load.requests for each in played)
    answered = {each.event: len(each.trial.answers) for each in played}
    two = {"rollout", "change of the share", "controller killed"}  # versions have answered
    assert all(answered[event] == 2 for event in two & answered.keys())
    assert answered.get("shadow on and off", 1) == 1
    assert capsys.readouterr().out.count(": 0 of ") == len(events) and "rollback" in str(summary(played))


def test_a_lost_request_is_an_exit_status_and_in_the_record(nginx, monkeypatch, tmp_path, fake):
    monkeypatch.setitem(EVENTS, "rollback", lambda stage, folder, pause: (stage.stable.kill(), pause(1)))
    monkeypatch.setattr(rounds, "play", lambda *arguments: play(*arguments, make=fake))
    record = tmp_path / "rounds.json"
    words = [
        "rollouts",
        "rounds",
        "--rounds",
        "1",
        "--seconds",
        "2",
        "--events",
        "rollback",
        "--json",
        str(record),
    ]
    assert cli.main(words) == 1
    (row,) = json.loads(record.read_text())["rounds"]
    assert row["event"] == "rollback" and row["lost"] > 0


@pytest.mark.parametrize("event", ["rollout", "controller killed"])
def test_a_rollout_for_which_requests_are_too_few_ends_with_the_load(nginx, monkeypatch, fake, event):
    monkeypatch.setattr(
        rounds, "under_load", lambda *given, **more: under_load(*given, **more | {"longest": 1})
    )
    with pytest.raises(RuntimeError, match="the load ended before the rollout"):
        play(1, rate=0.2, seconds=1, events=[event], make=fake)


BAD = [["--rounds", "0"], ["--rate", "-1"], ["--seconds", "0"], ["--rate", "inf"], ["--seconds", "nan"]]


@pytest.mark.parametrize("bad", BAD)
def test_numbers_that_make_no_round_are_refused_in_a_sentence(bad, capsys):
    assert cli.main(["rollouts", "rounds", *bad]) == 1
    assert "must be above 0" in capsys.readouterr().err
