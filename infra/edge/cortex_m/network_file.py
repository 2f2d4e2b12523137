"""What an int8 LiteRT file says: its operators in their order, and the tensors between them.

``network_file.py FILE.tflite`` prints the operators as JSON.
"""

import json
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from tflite_micro.tensorflow.lite.micro.python import schema_py_generated as schema

NAMES = {value: name for name, value in vars(schema.BuiltinOperator).items() if isinstance(value, int)}
DTYPES = {schema.TensorType.INT8: np.int8, schema.TensorType.INT32: np.int32}
OPTIONS = {
    "CONV_2D": schema.Conv2DOptions, "DEPTHWISE_CONV_2D": schema.DepthwiseConv2DOptions,
    "ADD": schema.AddOptions, "FULLY_CONNECTED": schema.FullyConnectedOptions,
}  # fmt: skip


@dataclass(frozen=True)
class Tensor:
    """A tensor: its values where they are constant, its scales (one, or one a channel) and its zero."""

    index: int
    shape: tuple[int, ...]
    scales: tuple[float, ...]
    zero: int
    values: np.ndarray | None

    @property
    def size(self) -> int:
        return int(np.prod(self.shape))

    @property
    def scale(self) -> float:
        (scale,) = self.scales
        return scale


@dataclass(frozen=True)
class Operator:
    """An operator by its name in the schema; ``stride`` in rows and columns."""

    name: str
    inputs: list[Tensor]
    output: Tensor
    stride: tuple[int, int] = (1, 1)
    same_padding: bool = False
    relu: bool = False


def read_network(data: bytes) -> tuple[list[Operator], Tensor, Tensor]:
    """Operators, input, output. ValueError for weights outside the table, or an activation but ReLU."""
    model = schema.Model.GetRootAs(data, 0)
    graph = model.Subgraphs(0)
    tensors = [_tensor(model, graph.Tensors(index), index) for index in range(graph.TensorsLength())]
    operators = []
    for place in range(graph.OperatorsLength()):
        operator = graph.Operators(place)
        code = model.OperatorCodes(operator.OpcodeIndex())
        name = NAMES[max(code.BuiltinCode(), code.DeprecatedBuiltinCode())]
        inputs = [tensors[index] for index in operator.InputsAsNumpy() if index >= 0]
        (out,) = operator.OutputsAsNumpy()
        operators.append(Operator(name, inputs, tensors[out], **_options(name, operator)))
    return operators, tensors[graph.Inputs(0)], tensors[graph.Outputs(0)]


def _tensor(model, tensor, index: int) -> Tensor:
    shape = tuple(tensor.ShapeAsNumpy().tolist()) if tensor.ShapeLength() else ()
    buffer, quantization = model.Buffers(tensor.Buffer()), tensor.Quantization()
    if buffer.Offset() > 1:
        raise ValueError(f"the weights of tensor {index} lie outside the file's table: bring them in first")
    values = None
    if buffer.DataLength():
        values = np.frombuffer(buffer.DataAsNumpy().tobytes(), DTYPES[tensor.Type()]).reshape(shape)
    scales = ()
    zero = 0
    if quantization is not None and quantization.ScaleLength():
        scales = tuple(quantization.ScaleAsNumpy().astype(float).tolist())
        zero = int(quantization.ZeroPoint(0))
    return Tensor(index, shape, scales, zero, values)


def _options(name: str, operator) -> dict:
    if name not in OPTIONS:
        return {}
    options = OPTIONS[name]()
    table = operator.BuiltinOptions()
    options.Init(table.Bytes, table.Pos)
    activation = options.FusedActivationFunction()
    if activation not in (schema.ActivationFunctionType.NONE, schema.ActivationFunctionType.RELU):
        raise ValueError(f"{name} has an activation other than ReLU")
    read = {"relu": activation == schema.ActivationFunctionType.RELU}
    if "CONV" in name:
        read["stride"] = options.StrideH(), options.StrideW()
        read["same_padding"] = options.Padding() == schema.Padding.SAME
    return read


def main(file: Path) -> None:
    operators, source, _ = read_network(file.read_bytes())
    rows = [
        {
            "name": operator.name,
            "shapes": ["×".join(map(str, tensor.shape)) for tensor in (operator.inputs[0], operator.output)],
            "scale": operator.output.scale,
            "zero": operator.output.zero,
        }
        for operator in operators
    ]
    print(json.dumps({"columns": source.shape[3], "operators": rows}))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
