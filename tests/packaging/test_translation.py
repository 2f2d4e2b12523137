import numpy as np
import onnx
import torch

from fsdl_course.packaging import translation
from fsdl_deploy.packaging.parity import Difference


class Upright(torch.nn.Module):
    def forward(self, pictures):
        return pictures if pictures.mean() > 128 else 255 - pictures


def test_the_exporter_warns_of_an_if_and_leaves_every_size_free():
    content, warned = translation.export_older(Upright(), translation.questions()[0][0], ["pictures"])
    sizes = onnx.load_from_string(content).graph.input[0].type.tensor_type.shape.dim
    assert warned == 1 and [size.dim_param for size in sizes] == ["n", "pictures_1", "pictures_2"]


def test_a_module_without_python_in_its_way_gets_no_warning():
    _, warned = translation.export_older(torch.nn.ReLU(), translation.questions()[0][0], ["pictures"])
    assert warned == 0


def test_other_questions_than_the_example_differ_from_it_and_are_always_the_same():
    for calls, again in zip(translation.questions(), translation.questions(), strict=True):
        example, *others = calls
        assert others and all(call[0].shape != example[0].shape for call in others)
        for call, same in zip(calls, again, strict=True):
            assert all(np.array_equal(a, b) for a, b in zip(call, same, strict=True))
    light, dark = (arrays[0].mean() for arrays in translation.questions()[0])
    assert light > 128 > dark


def test_apart_names_the_worst_answer_and_counts_those_that_are_missing():
    near, far, none = (
        Difference((1,), 1e-6),
        Difference((2,), 0.3),
        Difference((3,), np.inf, "Shape mismatch"),
    )
    assert translation.apart([near, far]) == "0.3"
    assert translation.apart([near, none, none]) == "1e-06 and no answer to 2"
    assert translation.apart([none]) == "no answer to 1" and translation.apart([]) == ""


def test_the_table_tells_the_example_from_other_inputs_and_notes_the_problem():
    problem = "Fail: node The input tensor cannot be reshaped. Input shape:{24}, requested shape:{40} at 0x1"
    cases = {"good": [Difference((1,), 0.0)] * 2}
    cases["bad"] = [Difference((1,), 0.0), Difference((2,), np.inf, problem)]
    table = translation.table(cases, {"bad": 5})
    assert table.rows == [["good", "0", "0", "0"], ["bad", "5", "0", "no answer to 1"]]
    assert table.notes == ["bad: The input tensor cannot be reshaped. Input shape:{24}, requested shape:{40}"]


def test_the_decoder_of_pictures_is_a_valid_graph_from_bytes_to_a_picture():
    decoder = translation.image_decoder()
    onnx.checker.check_model(decoder, full_check=True)
    assert [node.op_type for node in decoder.graph.node] == ["ImageDecoder"]
    assert len(decoder.graph.output[0].type.tensor_type.shape.dim) == 3
