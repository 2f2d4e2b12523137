"""ONNX Runtime's own format: what the converter writes, and which operators it lists."""

import numpy as np
import pytest

from fsdl_deploy import weights
from fsdl_deploy.cards import cards
from fsdl_deploy.optimization.rungs import FileReader
from fsdl_deploy.reader import OnnxReader
from fsdl_deploy.targets import ort_format


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("ort")
    ort_format.convert(weights.folder() / "v2.onnx", folder)
    return folder


def test_the_file_reads_as_the_graph(folder):
    images = [card.image for card in cards(8, "hard", seed=2)]
    pairs = zip(
        FileReader((folder / "v2.ort").read_bytes(), "v2").read(images),
        OnnxReader("v2").read(images),
        strict=True,
    )
    for own, expected in pairs:
        assert own.digits == expected.digits and np.isclose(own.confidence, expected.confidence, atol=1e-5)


def test_only_the_file_and_its_operators_are_written(folder):
    assert sorted(path.name for path in folder.iterdir()) == ["v2.config", "v2.ort"]
    assert "#" not in (folder / "v2.config").read_text(), "a comment names the folder of this machine"


def test_each_operator_is_listed_with_its_domain(folder):
    needed = ort_format.operators(folder / "v2.config")
    assert {"Conv", "CumSum", "LogSoftmax", "Where"} <= {*needed["ai.onnx"]}
    assert "FusedConv" in needed["com.microsoft"]
    assert all(name.isidentifier() for names in needed.values() for name in names)
    assert "Scan" not in needed["ai.onnx"]


def test_a_list_of_operators_is_read_without_its_types(tmp_path):
    file = tmp_path / "x.config"
    file.write_text(
        '# no;1;Not\nai.onnx;13;Cast{"inputs": {"0": ["a", "b"]}, "outputs": {"0": ["c"]}},Exp,Add\n'
        'ai.onnx;14;Add{"inputs": {"0": ["float"]}}\ncom.x;1;Fused\n'
    )
    assert ort_format.operators(file) == {"ai.onnx": ["Add", "Cast", "Exp"], "com.x": ["Fused"]}
