"""The app's life in a real browser, scene by scene; needs the station ``node``: stations.station("node")."""

import pytest

from fsdl_deploy.browser import scenes
from fsdl_deploy.browser.rounds import main


@pytest.mark.parametrize("scene", scenes.SCENES, ids=lambda scene: scene.__name__)
def test_scene(stage, scene):
    scene(stage)


def test_a_page_that_reads_wrongly_fails_its_scene(stage, monkeypatch):
    page = stage.fresh("v1").open()
    with pytest.raises(scenes.SceneFailed, match="of 20 cards"):
        scenes.reads(page, "v3-bad")
    monkeypatch.setattr(scenes, "MOST_BYTES", 1000)
    with pytest.raises(scenes.SceneFailed, match="bytes"):
        scenes.first_visit(stage)


def test_a_round_that_fails_is_counted(stage, monkeypatch, capsys):
    def broken(stage):
        raise scenes.SceneFailed("the lights are out")

    monkeypatch.setattr("fsdl_deploy.browser.rounds.SCENES", (broken,))
    monkeypatch.setattr("fsdl_deploy.browser.rounds.AppStage", lambda: stage_that_is_open(stage))
    assert main(type("Args", (), {"rounds": 2, "only": None})) == 1
    printed = capsys.readouterr().out
    assert (
        "round 2, broken: SceneFailed: the lights are out" in printed and "broken: 0 of 2 rounds" in printed
    )


def stage_that_is_open(stage):
    import contextlib

    return contextlib.nullcontext(stage)
