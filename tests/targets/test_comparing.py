"""Comparing a target with the reference: what it reads otherwise, and what it does not answer."""

import json

import pytest
from fake_target import TOML, building_of, repository

from fsdl_deploy.cards import cards
from fsdl_deploy.reader import OnnxReader
from fsdl_deploy.targets import building, comparing
from fsdl_deploy.targets.catalogue import TargetError

N = 12


def built(root, **settings):
    target = repository(root, build=building_of(**settings))
    building.build(target)
    return target


def compared(root, **options):
    return comparing.compare("fake", N, rounds=1, turns=1, root=root, **options)


def test_the_same_reader_reads_the_same(tmp_path):
    target = built(tmp_path)
    (row,) = compared(tmp_path)
    deck = list(cards(N, "typical", seed=comparing.SEED))
    readings = OnnxReader("v2").read([card.image for card in deck])
    right = sum(reading.digits == card.truth for reading, card in zip(readings, deck, strict=True))
    assert (row.same, row.right, row.reference_right) == (N, right, right)
    assert row.confidence_apart < 1e-5 and row.differences == () and row.passes
    assert row.size == (target.artifacts / "fake.json").stat().st_size
    assert row.same_interval[0] < 1 and row.same_interval[1] == pytest.approx(1)
    assert {"onnxruntime", "NumPy", "Python"} <= row.versions.keys()


def test_a_card_read_otherwise_is_named(tmp_path):
    built(tmp_path, wrong=[3, 7])
    (row,) = compared(tmp_path)
    deck = list(cards(N, "typical", seed=comparing.SEED))
    assert row.same == N - 2 and not row.passes
    assert [(other.card, other.truth, other.target) for other in row.differences] == [
        (place, deck[place].truth, "9999") for place in (3, 7)
    ]
    assert row.same_interval[0] < (N - 2) / N < row.same_interval[1]
    assert json.loads(json.dumps(comparing.as_dict(row)))["differences"][0]["card"] == 3


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        ({"crash": True}, "the model does not fit"),
        ({"write": "not {"}, "not JSON"),
    ],
)
def test_a_target_that_does_not_answer(tmp_path, settings, problem):
    built(tmp_path, **settings)
    with pytest.raises(TargetError, match=problem):
        compared(tmp_path)


def test_it_ends_a_target_that_hangs(tmp_path):
    read = "import time\ntime.sleep(600)\n"
    building.build(repository(tmp_path, read=read))
    with pytest.raises(TargetError, match="longer than"):
        compared(tmp_path, seconds=5)


def test_no_artifact_and_a_changed_one_are_not_read(tmp_path):
    target = repository(tmp_path)
    with pytest.raises(TargetError, match="not built: run `fsdl-deploy edge build fake`"):
        compared(tmp_path)
    building.build(target)
    (target.artifacts / "fake.json").write_text('{"wrong": [1]}')
    with pytest.raises(TargetError, match="not what was built"):
        compared(tmp_path)


def test_what_is_checked_only_cannot_be_compared(tmp_path):
    target = repository(tmp_path, toml=TOML + "reads = false\n")
    building.build(target)
    with pytest.raises(TargetError, match="checked, not run"):
        compared(tmp_path)


def test_of_two_precisions_both_are_asked_or_the_one_named(tmp_path):
    toml = TOML + '[variants.int8]\nfiles = ["small.json"]\n'
    build = building_of() + 'pathlib.Path(sys.argv[1], "small.json").write_text(\'{"wrong": [0]}\')\n'
    building.build(repository(tmp_path, toml=toml, build=build))
    assert [(row.precision, row.same) for row in compared(tmp_path)] == [("float32", N), ("int8", N - 1)]
    assert [row.precision for row in compared(tmp_path, precisions=["int8"])] == ["int8"]
    with pytest.raises(TargetError, match="fake has no int4; it has: float32, int8"):
        compared(tmp_path, precisions=["int4"])
    text = str(comparing.table(compared(tmp_path)))
    assert "int8" in text and "95 %" in text


def test_one_card_of_a_thousand_passes():
    row = dict.fromkeys(comparing.Comparison.__dataclass_fields__, 0)
    assert comparing.Comparison(**row | {"cards": 1000, "same": 999}).passes
    assert not comparing.Comparison(**row | {"cards": 1000, "same": 998}).passes
    assert not comparing.Comparison(**row | {"cards": 200, "same": 199}).passes
