import pytest

from fsdl_course.packaging import wrong_files
from fsdl_deploy import OnnxReader, weights
from fsdl_deploy.cards import cards

GOOD = weights.verified("v2.onnx")


@pytest.fixture(scope="module")
def images():
    return [card.image for card in cards(30, "typical", seed=7)]


def test_exactly_one_bit_is_another():
    other = wrong_files.flipped(GOOD, 1000)
    changed = [place for place, (a, b) in enumerate(zip(GOOD, other, strict=True)) if a != b]
    assert changed == [1000] and (GOOD[1000] ^ other[1000]).bit_count() == 1


def test_plain_onnxruntime_takes_any_valid_file(images):
    right = [reading.digits for reading in OnnxReader("v2").read(images)]
    assert wrong_files.by_plain_onnxruntime(GOOD, images, right) == "loads; 0 of 30 readings change"
    older = wrong_files.by_plain_onnxruntime(weights.verified("v1.onnx"), images, right)
    assert older.startswith("loads; ") and not older.startswith("loads; 0 ")
    assert wrong_files.by_plain_onnxruntime(GOOD[:5000], images, right).startswith("refuses: ")


def test_the_loader_takes_the_right_file_alone(images, tmp_path):
    assert wrong_files.by_the_loader(GOOD, tmp_path) == "loads"
    for content in (GOOD[:5000], weights.verified("v1.onnx"), wrong_files.flipped(GOOD, 1000)):
        assert wrong_files.by_the_loader(content, tmp_path) == "v2.onnx does not match its checksum"
