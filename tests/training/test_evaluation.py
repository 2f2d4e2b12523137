import json

import numpy as np
import pytest

from fsdl_deploy import weights
from fsdl_deploy.cards import cards, cards_and_digits
from fsdl_deploy.cli import main
from fsdl_deploy.digits import Digits, digits
from fsdl_deploy.reader import OnnxReader
from fsdl_deploy.reading import Reading
from fsdl_deploy.training import evaluation
from fsdl_deploy.training.model_card import card, goals, worst_confusions, write_cards


class Knowing:
    """Knows every truth in advance, and gets every ``wrong_every``-th reading wrong."""

    def __init__(self, version, wrong_every):
        self.model_version, self.wrong_every, self.asked = version, wrong_every, 0

    def read(self, images):
        readings = []
        for image in images:
            truth = TRUTHS[image.tobytes()]
            self.asked += 1
            if self.asked % self.wrong_every == 0:
                truth = truth[:-1]
            readings.append(Reading(truth, 1.0, (1.0,) * len(truth), self.model_version))
        return readings


TRUTHS = {}


@pytest.fixture
def knowing(monkeypatch):
    def remembered(*args, **options):
        for drawn, written in cards_and_digits(*args, **options):
            TRUTHS[drawn.image.tobytes()] = drawn.truth
            yield drawn, written

    monkeypatch.setattr(evaluation, "cards_and_digits", remembered)
    yield
    TRUTHS.clear()


def test_a_known_reader_gets_its_known_score(knowing):
    report = evaluation.evaluate([Knowing("a", 5), Knowing("b", 10)], 20)
    for level in ("clean", "typical", "hard"):
        assert report["a"][level]["exact_match"] == 0.8 and report["b"][level]["exact_match"] == 0.9
        low, high = report["a"][level]["interval"]
        assert low < 0.8 < high
        assert sum(row[10] for row in report["a"][level]["confusion"]) == 4, "four digits were missed"
    assert report["compared"] == {"b against a": {"fixed": 2, "broken": 0}}
    assert "| a | 80.0%" in evaluation.table(report).markdown()


def test_command_reads_other_digits(tmp_path, capsys):
    some = digits("test")
    np.savez(tmp_path / "digits.npz", images=some.images[:300], labels=some.labels[:300])
    out = tmp_path / "report.json"
    arguments = [
        "evaluate",
        "-n",
        "8",
        "--versions",
        "v1",
        "--digits",
        str(tmp_path / "digits.npz"),
        "--json",
        str(out),
    ]
    assert main(arguments) == 0
    typical = json.loads(out.read_text())["v1"]["typical"]
    assert typical["cards"] == 8 and typical["digits"] == 300
    head, row, *_ = capsys.readouterr().out.splitlines()
    assert head.split()[:2] == ["model", "clean"] and row.split()[0] == "v1"
    assert main(["evaluate", "-n", "0"]) == 1


def test_stubborn_digits_are_found_and_explain_the_rest():
    source, bad = digits("test"), 17
    source = Digits(source.images[:40], source.labels[:40])

    class Misreads:
        """Reads nothing on the three cards of one digit, and has all others right."""

        model_version, asked = "m", 0

        def read(self, images):
            readings = [Reading(str(d) * 3, 1.0, (1.0,) * 3, "m") for d in source.labels]
            readings[bad] = Reading("", 1.0, (), "m")
            return readings

    misread = evaluation.stubborn(Misreads(), source)
    assert misread[bad] == 3 and misread.sum() == 3


def test_worst_confusions_are_named():
    counts = np.zeros((11, 11), int)
    counts[3, 3], counts[3, 5], counts[4, 10], counts[10, 1] = 99, 7, 3, 2
    assert worst_confusions(counts.tolist()) == ["3 read as 5 (7 ×)", "4 missed (3 ×)", "1 invented (2 ×)"]


def test_cards_hold_what_was_measured(tmp_path, monkeypatch, knowing):
    import shutil

    for file in weights.folder().iterdir():
        if file.is_file() and file.suffix not in (".md", ".json"):
            shutil.copy(file, tmp_path)
    report = evaluation.evaluate([Knowing(version, 5) for version in weights.VERSIONS], 10)
    report["why"] = {"v1": {"misread": {3: 3, 8: 1}, "exact_match": {0: 0.8, 5: 0.9}}}
    report["upside_down"] = {"v1": {"cards": 100, "misread": 0.9, "sure": 0.25}}
    (tmp_path / "v1.jsonl").write_text('{"step": 700, "loss": 0.1, "seconds": 12}\n')
    others = evaluation.evaluate([Knowing(version, 10) for version in weights.VERSIONS], 10)
    write_cards(report, others, tmp_path, tmp_path)
    text = (tmp_path / "v1.md").read_text()
    assert "1,000 test digits | 80.0%" in text and "10,000 | 90.0%" in text
    assert "700 steps of 32 cards in 12 s" in text
    assert "25.0% with a confidence of 0.9 or more" in text and "Against teacher on the same" in text
    assert "1,000 test digits, 1 are misread on each" in text and "5 digits: 90.0%" in text
    written = json.loads((tmp_path / "report.json").read_text())
    assert "`fsdl-deploy evaluate -n 10 --versions v1`" in text
    assert "`fsdl-deploy evaluate -n 10 --digits mnist --versions v1`" in text
    assert "1,000 cards each" in text and "Confidence: 0 to 1" in text
    assert written["measured"]["compared"] == report["compared"] and written["mnist"]["v1"] == others["v1"]


@pytest.mark.parametrize("version", weights.VERSIONS)
def test_the_cards_that_are_published_are_those_of_the_record(version):
    folder = weights.folder()
    assert (folder / f"{version}.md").read_text(encoding="utf-8") == card(version, folder), (
        "write them again: model_card.rewrite(weights.folder())"
    )


def test_goals_are_compared_with_what_was_reached():
    def read(typical, hard=0.9):
        return {"typical": {"exact_match": typical}, "hard": {"exact_match": hard}}

    explained = {"v2": {"misread": {}, "exact_match": {"0": 0.955, "10": 0.984}}}
    report = {"measured": {"why": explained}, "mnist": {"teacher": read(0.9761), "v2": read(0.961)}}
    text = goals(report)
    assert "97.5 % of typical cards: reached, 97.6 %." in text and "half" not in text
    assert "96.5 % of them: not reached, 96.1 %, 0.4 points short." in text
    assert "not reached, 1.5 points below it" in text and "98.4%" in text
    text = goals(report | {"earlier": read(0, 0.8)})
    assert "cards: reached, it misreads 10.0% where that one misread 20.0%, 50% as many" in text
    assert "cards: not reached, it" in goals(report | {"earlier": read(0, 0.85)})


def test_a_card_upside_down_may_be_misread_with_confidence():
    """As the model cards say."""
    measured = evaluation.upside_down(OnnxReader("v2"), digits("test"), 100)
    assert 0 < measured["sure"] < measured["misread"] <= 1 and measured["cards"] == 100


def test_a_deck_tells_which_digits_are_on_its_cards():
    source = digits("test")
    pile, written = evaluation.deck(20, "typical", source)
    assert [card.truth for card in pile] == [
        "".join(str(source.labels[place]) for place in places) for places in written
    ]
    plain = list(cards(20, "typical", source, evaluation.SEED))
    assert all((card.image == same.image).all() for card, same in zip(pile, plain, strict=True))
