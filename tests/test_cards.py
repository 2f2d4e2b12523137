import subprocess
import sys
from itertools import islice

import numpy as np
import PIL.Image
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fsdl_deploy.cards import DRIFTS, cards
from fsdl_deploy.drawing import HEIGHT, LEVELS


def picture(drift=None, seed=3, level="typical"):
    return next(cards(1, level, seed=seed, drift=drift)).image


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 10**6), st.sampled_from(list(LEVELS)), st.sampled_from([None, *DRIFTS]))
def test_same_seed_same_pixels(seed, level, drift):
    first, again = (list(cards(2, level, seed=seed, drift=drift)) for _ in range(2))
    assert all((a.image == b.image).all() and a.truth == b.truth for a, b in zip(first, again, strict=True))


def test_card_does_not_depend_on_how_many_are_drawn_or_on_the_process():
    few, many = list(cards(3, seed=9)), list(islice(cards(1000, seed=9), 3))
    assert [c.image.tobytes() for c in few] == [c.image.tobytes() for c in many]
    code = "from fsdl_deploy.cards import cards; print([int(c.image.sum()) for c in cards(3, seed=9)])"
    sums = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert sums.strip() == str([int(c.image.sum()) for c in few])


def test_different_seeds_and_levels_differ():
    images = [
        picture(seed=1).tobytes(),
        picture(seed=2).tobytes(),
        picture(level="clean").tobytes(),
        picture(level="hard").tobytes(),
    ]
    assert len(set(images)) == 4


@pytest.mark.parametrize("level", LEVELS)
def test_lengths_follow_the_level(level):
    low, high = LEVELS[level].lengths
    seen = {len(card.truth) for card in cards(80, level, seed=1)}
    assert seen == set(range(low, high + 1))


def test_lengths_on_request():
    assert {len(card.truth) for card in cards(20, lengths=(9, 10))} == {9, 10}


def test_harder_levels_have_less_contrast():
    contrast = {
        lv: np.mean([np.ptp(np.percentile(c.image, [2, 90])) for c in cards(40, lv)]) for lv in LEVELS
    }
    assert contrast["clean"] > contrast["typical"] > contrast["hard"]


def test_drifts_do_what_their_names_say():
    plain = picture()
    assert (picture("inverted") == 255 - plain).all()
    assert picture("dark").mean() < plain.mean() / 3
    assert picture("cropped").shape[0] < 0.8 * HEIGHT
    assert picture("rotated").shape[0] > HEIGHT
    pen = [
        np.mean([(c.image < np.median(c.image) - 25).mean() for c in cards(20, "clean", drift=d)])
        for d in (None, "new pen")
    ]
    assert pen[1] > 1.3 * pen[0], "a felt pen covers more of the paper"


def test_drift_keeps_the_truth():
    truths = [[c.truth for c in cards(5, drift=d)] for d in (None, *DRIFTS)]
    assert all(t == truths[0] for t in truths)


@pytest.mark.parametrize(
    "wrong", [{"level": "easy"}, {"drift": "wet"}, {"lengths": (0, 3)}, {"lengths": (5, 4)}]
)
def test_bad_arguments_are_named(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        list(cards(1, **wrong))


@pytest.mark.parametrize("wrong", [["-n", "-3"], ["-n", "0"], ["--seed", "-1"]])
def test_command_refuses_such_numbers(tmp_path, capsys, wrong):
    from fsdl_deploy.cli import main

    assert main(["cards", str(tmp_path / "out"), *wrong]) == 1
    output = capsys.readouterr()
    assert f"{wrong[0]} is " in output.err and wrong[1] in output.err and not output.out
    assert not (tmp_path / "out").exists()


def test_command_writes_pictures(tmp_path):
    from fsdl_deploy.cli import main

    assert main(["cards", str(tmp_path / "out"), "-n", "3", "--seed", "4"]) == 0
    files = sorted((tmp_path / "out").iterdir())
    assert [f.stem.split("_")[1] for f in files] == [c.truth for c in cards(3, seed=4)]
    assert np.array_equal(np.array(PIL.Image.open(files[0])), next(cards(1, seed=4)).image)
