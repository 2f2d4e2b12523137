"""Recorded answers: the record of the course, what readers say, and files that hold none."""

import json
from dataclasses import replace

import pytest

from fsdl_deploy import cli
from fsdl_deploy.reading import Reading
from fsdl_deploy.rollouts import answers as module
from fsdl_deploy.rollouts.answers import RECORD, AnswersError, load, read_all
from fsdl_deploy.rollouts.utility import CAMERAS


class Fixed:
    model_version = "fixed"

    def read(self, images):
        return [Reading("123", 0.5, (0.5,) * 3, "fixed") for _ in images]


@pytest.fixture
def small():
    return read_all({"v2": Fixed(), "other": Fixed()}, customers=6)


def test_the_record_has_every_version_and_the_cameras_mix():
    recorded = load()
    assert {"v2", "v2-int8", "teacher", "v3-bad"} <= recorded.versions.keys()
    assert set(recorded.cameras) == set(CAMERAS) and len(recorded.truths) >= 5000
    right = {
        name: sum(pair.candidate.digits == pair.truth for pair in recorded.pairs(name))
        for name in recorded.versions
    }
    assert right["teacher"] > right["v2"] > right["v3-bad"]
    assert all(meter.plausible(truth) for meter, truth in zip(recorded.meters, recorded.truths, strict=True))


def test_readers_answer_each_card_and_what_is_saved_is_loaded(small, tmp_path):
    assert [seen.digits for seen in small.versions["v2"]] == ["123"] * 6
    assert all(0 <= seen.seconds < 30 and not seen.failed for seen in small.versions["other"])
    small.save(tmp_path / "answers.json", seed=1)
    assert load(tmp_path / "answers.json") == small
    assert json.loads((tmp_path / "answers.json").read_text())["date"]


def test_an_unknown_version_lists_those_that_are_there(small):
    with pytest.raises(AnswersError, match=r"no answers of 'v9'.*v2, other"):
        small.pairs("v9")
    with pytest.raises(AnswersError, match="1 answers of new to 6 cards"):
        small.with_version("new", small.versions["v2"][:1])


@pytest.mark.parametrize("text", [None, "", "[]", "{}", '{"cameras": 3}'])
def test_a_file_that_holds_no_answers_is_named_with_what_to_do(tmp_path, text):
    path = tmp_path / "answers.json"
    if text is not None:
        path.write_text(text)
    with pytest.raises(AnswersError, match=r"answers\.json.*rollouts answers"):
        load(path)


def test_columns_of_several_lengths_are_no_answers(small, tmp_path):
    replace(small, truths=small.truths[:-1]).save(tmp_path / "short.json")
    with pytest.raises(AnswersError, match="holds no recorded answers"):
        load(tmp_path / "short.json")


def test_the_command_records_models(tmp_path, capsys):
    words = [
        "rollouts",
        "answers",
        str(tmp_path / "own.json"),
        "--versions",
        "v2",
        "v3-bad",
        "--customers",
        "4",
    ]
    assert cli.main(words) == 0 and "4 cards" in capsys.readouterr().out
    assert load(tmp_path / "own.json").versions.keys() == {"v2", "v3-bad"}
    assert module.RECORD == RECORD
