"""From an int8 LiteRT file to C: ``generate.py FILE.tflite OUT_DIR`` writes ``network.c`` and ``network.h``.

Weights become constant arrays, which stay in the flash; each operator becomes a call of ``kernels.c``;
activations share one array, the arena, whose places are planned here. No interpreter, no file format and no
memory allocation are left on the device. Raises ValueError for an operator that this network has not.
"""

import sys
from pathlib import Path

import numpy as np
from network_file import Operator, Tensor, read_network

VIEWS = ("RESHAPE", "TRANSPOSE", "SLICE")  # they move no byte here: checked, not believed
CONVOLUTIONS = {
    "CONV_2D": "convolve",
    "DEPTHWISE_CONV_2D": "convolve_depthwise",
    "FULLY_CONNECTED": "convolve",
}


def fixed_point(real: float) -> tuple[int, int]:
    """``real`` as an integer of 31 bits and a shift: real = integer / 2**31 * 2**shift."""
    fraction, shift = np.frexp(real)
    integer = int(np.floor(fraction * (1 << 31) + 0.5))
    return (integer // 2, int(shift) + 1) if integer == 1 << 31 else (integer, int(shift))


def array(ctype: str, name: str, values: np.ndarray) -> str:
    """A constant array of C."""
    numbers = [str(value) for value in values.ravel().tolist()]
    lines = [", ".join(numbers[i : i + 24]) for i in range(0, len(numbers), 24)]
    return f"static const {ctype} {name}[{len(numbers)}] = {{\n" + ",\n".join(lines) + "};\n"


class Generator:
    """Walks the operators in their order; knows where in the arena each tensor lies."""

    def __init__(self, operators: list[Operator], source: Tensor, target: Tensor):
        self.operators, self.source, self.target = operators, source, target
        self.constants: list[str] = []
        self.calls: list[str] = []
        self.padding: dict[int, tuple[Tensor, int, int]] = {}  # a padded tensor: what it pads, above and left
        self.views: dict[int, tuple[int, np.ndarray]] = {}  # a view: the tensor, which of its elements
        self.places: dict[int, int] = {}
        self.arena = 0
        self.last_use = self._last_uses()

    def _last_uses(self) -> dict[int, int]:
        last, root = {}, {}
        for number, operator in enumerate(self.operators):
            if operator.name in (*VIEWS, "PAD"):
                root[operator.output.index] = root.get(operator.inputs[0].index, operator.inputs[0].index)
            for tensor in operator.inputs:
                last[root.get(tensor.index, tensor.index)] = number
        last[root.get(self.target.index, self.target.index)] = len(self.operators)
        return last

    def place(self, tensor: Tensor, number: int) -> int:
        """The lowest place in the arena with room beside all that are still needed at this operator."""
        living = sorted(
            (place, place + size)
            for index, (place, size) in self.taken.items()
            if self.last_use[index] >= number
        )
        start = 0
        for begin, end in living:
            if start + tensor.size <= begin:
                break
            start = max(start, end)
        self.taken[tensor.index] = (start, tensor.size)
        self.arena = max(self.arena, start + tensor.size)
        return start

    taken: dict[int, tuple[int, int]]

    def pointer(self, tensor: Tensor) -> str:
        """Where a tensor lies, in C; ValueError where a view of it would have to be copied."""
        index, elements = self.views.get(tensor.index, (tensor.index, None))
        offset = 0
        if elements is not None:
            flat = elements.ravel()
            offset = int(flat[0])
            if not np.array_equal(flat, np.arange(offset, offset + flat.size)):
                raise ValueError(f"tensor {tensor.index} is not one piece of tensor {index}")
        if index == self.source.index:
            return f"ink + {offset}" if offset else "ink"
        return f"arena + {self.taken[index][0] + offset}"

    def run(self) -> None:
        """Fill ``constants`` and ``calls``."""
        self.taken = {}
        for number, operator in enumerate(self.operators):
            if operator.name in VIEWS:
                self.view(operator)
            elif operator.name == "PAD":
                self.pad(operator)
            elif operator.name in CONVOLUTIONS:
                self.convolution(operator, number)
            elif operator.name == "ADD":
                self.addition(operator, number)
            else:
                raise ValueError(f"{operator.name} has no kernel in firmware/kernels.c")

    def view(self, operator: Operator) -> None:
        """Follow every element through a reshape, transpose or slice."""
        tensor, *arguments = operator.inputs
        index, elements = self.views.get(tensor.index, (tensor.index, np.arange(tensor.size)))
        elements = elements.reshape(tensor.shape)
        if operator.name == "RESHAPE":
            elements = elements.reshape(operator.output.shape)
        elif operator.name == "TRANSPOSE":
            elements = elements.transpose(arguments[0].values)
        else:
            begin, size = (argument.values for argument in arguments)
            ends = [b + (s if s >= 0 else d - b) for b, s, d in zip(begin, size, tensor.shape, strict=True)]
            elements = elements[tuple(slice(b, e) for b, e in zip(begin, ends, strict=True))]
        self.views[operator.output.index] = index, elements

    def pad(self, operator: Operator) -> None:
        """Nothing is copied: the convolution that follows steps over what lies outside."""
        tensor, amounts = operator.inputs
        (n0, n1), (top, _), (left, _), (c0, c1) = amounts.values.tolist()
        if any((n0, n1, c0, c1)) or tensor.zero != operator.output.zero:
            raise ValueError("a PAD other than of rows and columns with zeros")
        self.padding[operator.output.index] = tensor, top, left

    def convolution(self, operator: Operator, number: int) -> None:
        tensor, weights, bias = operator.inputs
        padded, (tensor, top, left) = tensor, self.padding.get(tensor.index, (tensor, 0, 0))
        dense = operator.name == "FULLY_CONNECTED"
        shape = (1, tensor.size // tensor.shape[-1], tensor.shape[-1]) if dense else tensor.shape[1:]
        out = (1, operator.output.size // operator.output.shape[-1], operator.output.shape[-1])
        out = out if dense else operator.output.shape[1:]
        kernel = (1, 1) if dense else weights.shape[1:3]
        if operator.same_padding and padded is tensor:
            (top, left) = (
                max((o - 1) * s + k - i, 0) // 2
                for o, s, k, i in zip(out, operator.stride, kernel, shape, strict=False)
            )
        factors = [fixed_point(tensor.scale * scale / operator.output.scale) for scale in weights.scales]
        multipliers, shifts = (np.array(column) for column in zip(*factors, strict=True))
        sums = bias.values
        if CONVOLUTIONS[operator.name] == "convolve":
            if any((top, left)) or weights.size // weights.shape[0] % 4:
                raise ValueError(f"{operator.name} {number} has a border, or rows that are no multiple of 4")
            sums = sums - tensor.zero * weights.values.reshape(len(sums), -1).astype(np.int32).sum(1)
        self.constants += [
            array("int8_t", f"weights{number}", weights.values),
            array("int32_t", f"bias{number}", sums),
            array("int32_t", f"multipliers{number}", multipliers),
            array("int8_t", f"shifts{number}", shifts),
        ]
        least = max(-128, operator.output.zero) if operator.relu else -128
        numbers = [
            *shape,
            *out,
            *kernel,
            *operator.stride,
            top,
            left,
            tensor.zero,
            operator.output.zero,
            least,
        ]
        self.constants.append(f"static const Shape shape{number} = {{{', '.join(map(str, numbers))}}};\n")
        pointer = self.pointer(tensor)
        place = self.place(operator.output, number)
        self.calls.append(
            f"{CONVOLUTIONS[operator.name]}({pointer}, arena + {place}, weights{number}, bias{number}, "
            f"multipliers{number}, shifts{number}, &shape{number});"
        )

    def addition(self, operator: Operator, number: int) -> None:
        a, b = operator.inputs
        twice = 2 * max(a.scale, b.scale)
        factors = [fixed_point(real) for real in (a.scale / twice, b.scale / twice)]
        factors.append(fixed_point(twice / ((1 << 20) * operator.output.scale)))
        least = max(-128, operator.output.zero) if operator.relu else -128
        numbers = [
            a.zero,
            b.zero,
            operator.output.zero,
            least,
            *(f[0] for f in factors),
            *(f[1] for f in factors),
        ]
        self.constants.append(f"static const Sum sum{number} = {{{', '.join(map(str, numbers))}}};\n")
        pointers = f"{self.pointer(a)}, {self.pointer(b)}"
        place = self.place(operator.output, number)
        self.calls.append(f"add({pointers}, arena + {place}, {operator.output.size}, &sum{number});")


def generate(file: Path, out: Path) -> dict[str, int]:
    """Write the two files; how many bytes the arena has, and how many calls there are."""
    operators, source, target = read_network(file.read_bytes())
    generator = Generator(operators, source, target)
    generator.run()
    steps, classes = target.shape[-2:]
    header = f"""#ifndef NETWORK_H
#define NETWORK_H
#include <stdint.h>
#define INPUT_BYTES {source.size}
#define STEPS {steps}
#define CLASSES {classes}
// Ink int8 [32, columns] to logits int8 [STEPS, CLASSES], which stay until the next call.
const int8_t *run_network(const int8_t *ink);
#endif
"""
    body = [
        '#include "network.h"\n#include "kernels.h"\n\n', *generator.constants,
        f"\nstatic int8_t arena[{generator.arena}];\n\nconst int8_t *run_network(const int8_t *ink) {{\n",
        *(f"    {call}\n" for call in generator.calls),
        f"    return {generator.pointer(target)};\n}}\n",
    ]  # fmt: skip
    (out / "network.h").write_text(header, encoding="utf-8")
    (out / "network.c").write_text("".join(body), encoding="utf-8")
    return {"arena": generator.arena, "calls": len(generator.calls)}


if __name__ == "__main__":
    print(generate(Path(sys.argv[1]), Path(sys.argv[2])))
