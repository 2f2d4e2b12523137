import onnx
import pytest

from fsdl_deploy import weights
from fsdl_deploy.packaging.onnx_versions import OnnxVersionError, converted, lowest_ir, write_lowest_ir


def test_the_lowest_ir_is_what_the_operators_ask_for_and_the_graph_stays():
    exported = onnx.load_from_string(weights.verified("v2.onnx"))
    lowered = onnx.load_from_string(lowest_ir(weights.verified("v2.onnx")))
    assert lowered.ir_version == onnx.helper.find_min_ir_version_for(exported.opset_import)
    assert lowered.ir_version < exported.ir_version and lowered.graph == exported.graph


def test_the_folder_is_one_that_the_loader_takes(tmp_path):
    folder = write_lowest_ir(["v1", "v2"], tmp_path / "models")
    for version in ("v1", "v2"):
        assert onnx.load_from_string(weights.verified(f"{version}.onnx", folder)).ir_version == 9
    with pytest.raises(weights.WeightsError):
        weights.verified("teacher.onnx", folder)


def test_a_file_says_what_it_was_converted_to():
    graph = onnx.load_from_string(converted(weights.verified("v2.onnx"), 18, 8))
    assert (graph.opset_import[0].version, graph.ir_version) == (18, 8)


def test_where_the_converter_knows_no_way_its_reason_is_the_message():
    with pytest.raises(OnnxVersionError, match=r"^No Adapter To Version \$17 for Pad"):
        converted(weights.verified("v2.onnx"), 17, 8)
