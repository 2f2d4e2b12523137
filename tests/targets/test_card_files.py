"""Cards in a file, and readings in another: whole, in order, or refused with a sentence."""

import json

import numpy as np
import pytest

from fsdl_deploy.targets import card_files

GOOD = {"digits": "0420", "confidence": 0.5}


def written(folder, answer):
    file = folder / "out.json"
    file.write_text(answer if isinstance(answer, str) else json.dumps(answer))
    return file


def test_cards_come_back_in_their_order(tmp_path):
    images = [np.full((64, 100 + i), i, np.uint8) for i in range(12)]
    card_files.write_cards(tmp_path / "cards.npz", images)
    again = card_files.read_cards(tmp_path / "cards.npz")
    assert len(again) == 12
    assert all(np.array_equal(image, other) for image, other in zip(images, again, strict=True))


def test_readings_come_back(tmp_path):
    file = tmp_path / "out.json"
    card_files.write_readings(file, [("0420", np.float32(0.5)), ("", 1.0)], np.array([0.1, 0.2]), {"x": "1"})
    answer = card_files.read_readings(file, 2)
    assert answer["readings"] == [GOOD, {"digits": "", "confidence": 1.0}]
    assert answer["seconds"] == [0.1, 0.2] and answer["versions"] == {"x": "1"}


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        ("", "not JSON"),
        ("[]", "no readings, seconds and versions"),
        ({"readings": [GOOD], "seconds": [0.1]}, "no readings, seconds and versions"),
        ({"readings": [], "seconds": [], "versions": {}}, "0 readings of 1 cards"),
        ({"readings": [GOOD], "seconds": 0.1, "versions": {}}, "no seconds of 1 cards"),
        ({"readings": [GOOD], "seconds": ["soon"], "versions": {}}, "not a number of seconds"),
        ({"readings": [GOOD], "seconds": [-1], "versions": {}}, "not a number of seconds"),
    ],
)
def test_what_is_no_answer(tmp_path, answer, problem):
    with pytest.raises(ValueError, match=problem):
        card_files.read_readings(written(tmp_path, answer), 1)


@pytest.mark.parametrize(
    "row",
    [
        {"digits": "12"},
        {"digits": "1x", "confidence": 1},
        {"digits": 12, "confidence": 1},
        {"digits": "1", "confidence": float("nan")},
        {"digits": "1", "confidence": 1.1},
        "12",
    ],
)
def test_what_is_no_reading(tmp_path, row):
    answer = {"readings": [row], "seconds": [0.1], "versions": {}}
    with pytest.raises(ValueError, match="no digits with a confidence"):
        card_files.read_readings(written(tmp_path, answer), 1)


def test_no_file_is_no_readings(tmp_path):
    with pytest.raises(ValueError, match="wrote no readings"):
        card_files.read_readings(tmp_path / "out.json", 1)
