import numpy as np
import onnx
import pytest

from fsdl_deploy.packaging import parity
from fsdl_deploy.packaging.onnx_export import INPUTS, OUTPUTS
from fsdl_deploy.reader import OnnxReader, TorchReader
from fsdl_deploy.weights import VERSIONS, verified


@pytest.fixture(scope="module", params=VERSIONS)
def model(request):
    return request.param, onnx.load_from_string(verified(f"{request.param}.onnx"))


def test_the_graph_takes_pictures_of_any_size(model):
    _, graph = model[0], model[1].graph
    assert [i.name for i in graph.input] == INPUTS and [o.name for o in graph.output] == OUTPUTS
    pictures, widths = (i.type.tensor_type for i in graph.input)
    assert pictures.elem_type == onnx.TensorProto.UINT8 and widths.elem_type == onnx.TensorProto.INT64
    assert [d.dim_param for d in pictures.shape.dim] == ["n", "h", "w"]
    assert not any(d.dim_value for i in graph.input for d in i.type.tensor_type.shape.dim)


def test_the_graph_is_valid_and_knows_its_version(model):
    version, proto = model
    onnx.checker.check_model(proto, full_check=True)
    assert {entry.key: entry.value for entry in proto.metadata_props} == {"version": version}


def test_no_operator_that_runtimes_for_devices_lack(model):
    """Each of these stops a runtime for phones, browsers or microcontrollers, or fixes its shapes."""
    used = {node.op_type for node in model[1].graph.node}
    by_index = {"Scatter", "ScatterElements", "ScatterND", "GatherElements", "GatherND", "NonZero"}
    control = {"If", "Loop", "Scan", "SequenceAt", "SplitToSequence"}
    others = {"Compress", "TopK", "Unique", "Resize", "NonMaxSuppression", "Einsum", "Optional"}
    assert not used & (by_index | control | others)
    assert not any(attribute.g.node for node in model[1].graph.node for attribute in node.attribute)


def test_the_graph_carries_weights_but_no_trace_of_the_machine(model):
    _, proto = model
    assert not any(tensor.external_data for tensor in proto.graph.initializer)
    text = proto.SerializeToString()
    assert b".py" not in text and b"/site-packages" not in text
    assert {opset.domain for opset in proto.opset_import} <= {"", "ai.onnx"}, "standard operators only"


def test_the_graph_follows_torch_on_other_shapes_than_its_example():
    rng = np.random.default_rng(4)
    cases = [
        (rng.integers(0, 256, (n, h, w), np.uint8), np.array([w] * (n - 1) + [w // 2]))
        for n, h, w in [(1, 32, 33), (3, 64, 200), (2, 17, 96)]
    ]
    differences = parity.compare(TorchReader("teacher").run, OnnxReader("teacher").run, cases)
    assert max(each.largest for each in differences) < 1e-4, differences
