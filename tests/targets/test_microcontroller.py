"""The network on a microcontroller: the C that is generated, and a file that reads nothing."""

import pytest

from fsdl_course.setup.stations import ensure
from fsdl_deploy.cards import cards
from fsdl_deploy.targets import building, catalogue
from fsdl_deploy.targets.programs import ask

IMAGES = [card.image for card in cards(2, "typical", seed=31)]


@pytest.fixture(scope="module")
def targets():
    ensure("tinyml")
    return catalogue.target("tinyml"), catalogue.target("cortex_m")


def test_the_firmware_gives_the_same_bits_as_the_interpreter(targets):
    report = ask(targets[1], "try_board.py", IMAGES)
    assert [card["same"] for card in report["cards"]] == [True, True]
    assert report["ram"] < 256 * 1024 and report["flash"] < 2**20


def test_a_board_with_too_little_memory_is_refused_by_the_linker(targets):
    refused = ask(targets[1], "try_board.py", IMAGES, "--ram", "64K")["refused"]
    assert any("will not fit in region 'RAM'" in line for line in refused)


def test_weights_outside_the_table_are_not_found(targets, tmp_path):
    file = building.artifact(targets[0], targets[0].variant("int8"))
    ask(targets[0], "external.py", (), file, tmp_path / "external.tflite")
    good, bad = (
        ask(targets[0], "read_json.py", IMAGES, model)["readings"]
        for model in (file, tmp_path / "external.tflite")
    )
    # What is read in place of the weights is whatever lies there: no error, and nothing right.
    assert all(good) and not set(bad) & set(good)
