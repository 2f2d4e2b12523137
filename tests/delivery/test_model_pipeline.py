"""A pipeline of models is one unit: a part that is rolled back alone is refused, and would break it."""

import pytest

from fsdl_deploy.customers import Customers
from fsdl_deploy.delivery import model_pipeline, releases
from fsdl_deploy.delivery.model_pipeline import PipelineError, build, load, misfits, parts, swap
from fsdl_deploy.rollouts.meters import Meter

KEY = b"k" * 64


@pytest.fixture(scope="module")
def units(tmp_path_factory):
    """The unit of v2, that of v1 with a threshold of its own, and v2 with its confidence in other scales."""
    home = tmp_path_factory.mktemp("pipelines")
    build(home / "october", KEY, "2026-10", reader="v1", sure=0.01, second="v2")
    build(home / "november", KEY, "2026-11", second="v2")
    for scale, sure in (("percent", 59), ("logarithm", -0.53)):
        build(home / scale, KEY, scale, scale=scale, sure=sure, second="v2")
    return home


@pytest.fixture(scope="module")
def month():
    """A few customers' cards with their meters and truths."""
    utility = Customers(40, seed=3)
    drawn = [utility.card(i, "2026-10") for i in range(utility.n)]
    meters = [Meter(utility.customer(i).register, utility.reading(i, "2026-09")) for i in range(utility.n)]
    return [card.image for card in drawn], meters, [card.truth for card in drawn]


def test_a_whole_unit_reads_and_doubts(units, month):
    images, meters, truths = month
    pipeline = load(units / "november", KEY)
    answers = pipeline.read(images, meters)
    right = [answer.digits == truth for answer, truth in zip(answers, truths, strict=True)]
    assert sum(right) >= 35 and 0 <= pipeline.cascade.share < 0.3 and pipeline.version == "2026-11"
    assert not any(answer.problem for answer, is_right in zip(answers, right, strict=True) if is_right)


@pytest.mark.parametrize("scale", ["percent", "logarithm"])
def test_the_scale_alone_changes_nothing_where_the_threshold_goes_with_it(units, month, scale):
    pipelines = [load(units / name, KEY) for name in ("november", scale)]
    answers = [pipeline.read(*month[:2]) for pipeline in pipelines]
    assert answers[0] == answers[1] and pipelines[0].cascade.share == pipelines[1].cascade.share


@pytest.mark.parametrize(("scale", "share"), [("percent", 0.0), ("logarithm", 1.0)])
def test_a_reader_with_another_scale_hands_on_nothing_or_everything(units, month, tmp_path, scale, share):
    swap(units / "november", "reader", units / scale, tmp_path / "mixed", KEY)
    with pytest.raises(
        PipelineError, match=f"takes confidence as probability, by reader v2, and gets {scale}"
    ):
        load(tmp_path / "mixed", KEY)
    pipeline = load(tmp_path / "mixed", KEY, trusting=True)
    pipeline.read(*month[:2])
    assert pipeline.cascade.share == pytest.approx(share, abs=0.03)


def test_the_former_reader_alone_is_refused_and_would_hand_on_far_more(units, month, tmp_path):
    swap(units / "november", "reader", units / "october", tmp_path / "mixed", KEY)
    with pytest.raises(PipelineError) as error:
        load(tmp_path / "mixed", KEY)
    assert "cascade 0.59 takes confidence as probability, by reader v2, and gets" in str(error.value)
    broken, whole = load(tmp_path / "mixed", KEY, trusting=True), load(units / "november", KEY)
    broken.read(*month[:2]), whole.read(*month[:2])
    assert broken.cascade.share > whole.cascade.share + 0.1


def test_a_part_that_fits_may_be_rolled_back_alone(units, tmp_path, month):
    build(tmp_path / "strict", KEY, "strict", second="v2", most=0.0001)
    swap(tmp_path / "strict", "plausibility", units / "november", tmp_path / "mixed", KEY)
    answers = load(tmp_path / "mixed", KEY).read(*month[:2])
    assert answers == load(units / "november", KEY).read(*month[:2])
    assert answers != load(tmp_path / "strict", KEY).read(*month[:2])


def test_a_changed_file_is_refused_also_by_who_trusts(units, tmp_path):
    build(tmp_path / "pipeline", KEY, "1", second="v2")
    (tmp_path / "pipeline" / "cascade.json").write_text('{"sure": 0}')
    with pytest.raises(releases.ReleaseError, match=r"cascade\.json of pipeline was changed"):
        load(tmp_path / "pipeline", KEY, trusting=True)


def test_what_is_missing_between_parts_is_named(units):
    listed = parts(units / "november", KEY)
    assert misfits(listed) == []
    assert "cascade 0.59 takes digits as text of digits, and gets none" in misfits(listed[1:])
    assert "cascade 0.59 takes second digits as text of digits, and gets none" in misfits(listed[2:])
    assert len(misfits(listed[::-1])) == 4, "in the wrong order"


def test_wrong_words_are_one_sentence(units, tmp_path):
    with pytest.raises(ValueError, match="no scale 'odds'"):
        build(tmp_path / "odd", KEY, "1", scale="odds")
    with pytest.raises(ValueError, match="no part 'readr'"):
        swap(units / "november", "readr", units / "october", tmp_path / "mixed", KEY)
    (tmp_path / "bare").mkdir()
    releases.seal(tmp_path / "bare", KEY, name="bare", version="1")
    with pytest.raises(PipelineError, match="no pipeline"):
        load(tmp_path / "bare", KEY)


@pytest.mark.parametrize(
    ("digits", "why"),
    [
        ("01234", ""),
        ("01200", ""),
        ("01199", "1 less than last month"),
        ("1234", "4 digits, and the meter has 5"),
        ("06200", ""),
        ("06201", "5001 more than last month"),
        ("", "0 digits"),
    ],
)
def test_a_meter_only_rises(digits, why):
    assert Meter(5, 1200).problem(digits).startswith(why) and bool(Meter(5, 1200).problem(digits)) == bool(
        why
    )


def test_no_true_reading_is_implausible():
    utility = Customers(200, seed=5)
    for i in range(utility.n):
        meter = Meter(utility.customer(i).register, utility.reading(i, "2025-12"))
        assert meter.problem(str(utility.reading(i, "2026-01")).zfill(meter.register)) == ""


def test_each_scale_keeps_the_order_of_confidences():
    for scale in model_pipeline.SCALES.values():
        values = [scale(confidence) for confidence in (0.0, 0.1, 0.5, 0.9, 1.0)]
        assert values == sorted(values)
