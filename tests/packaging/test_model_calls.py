import numpy as np
import onnx
import pytest
import torch

from fsdl_deploy.packaging.model_calls import in_onnxruntime, in_torch


def difference_graph() -> bytes:
    """Two inputs and two outputs: a - b, and a; swapped inputs would show."""
    helper, number = onnx.helper, onnx.TensorProto.FLOAT
    inputs = [helper.make_tensor_value_info(name, number, ["n"]) for name in ("a", "b")]
    outputs = [helper.make_tensor_value_info(name, number, ["n"]) for name in ("apart", "same")]
    nodes = [
        helper.make_node("Sub", ["a", "b"], ["apart"]),
        helper.make_node("Identity", ["a"], ["same"]),
    ]
    graph = helper.make_graph(nodes, "difference", inputs, outputs)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    return model.SerializeToString()


FIVE, TWO = np.array([5.0], np.float32), np.array([2.0], np.float32)


@pytest.mark.parametrize("reuse", [True, False])
def test_a_file_takes_its_inputs_in_order_and_gives_every_output(reuse):
    apart, same = in_onnxruntime(difference_graph(), reuse=reuse)(FIVE, TWO)
    assert apart.tolist() == [3.0] and same.tolist() == [5.0]


def test_a_missing_input_is_an_error_and_not_another_input():
    with pytest.raises(ValueError):
        in_onnxruntime(difference_graph())(FIVE)


def test_a_torch_module_with_one_output_or_several_gives_a_list_without_gradients():
    module = torch.nn.Linear(1, 1)
    (output,) = in_torch(module)(FIVE)
    assert isinstance(output, np.ndarray) and output.shape == (1,)
    assert [array.item() for array in in_torch(torch.frexp)(FIVE)] == pytest.approx([0.625, 3])
