"""Integers in place of numbers with a point: how an int8 network takes its ink, and gives its logits

NumPy and the standard library only: it runs in every station.
"""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Encoding:
    """How a tensor holds values: as int8, value = (integer - ``zero``) * ``scale``; as they are, if 0."""

    shape: tuple[int, ...]
    scale: float = 0.0
    zero: int = 0

    @classmethod
    def of(cls, details: dict) -> "Encoding":
        """As an interpreter of LiteRT describes a tensor. ValueError where it has several scales."""
        parameters, shape = details["quantization_parameters"], tuple(map(int, details["shape"]))
        if details["dtype"] == np.float32:
            return cls(shape)
        (scale,), (zero,) = parameters["scales"], parameters["zero_points"]
        return cls(shape, float(scale), int(zero))

    def encoded(self, values: np.ndarray) -> np.ndarray:
        """Values in this tensor's shape: the nearest integers, and an end of int8's range beyond it."""
        if not self.scale:
            return np.asarray(values, np.float32).reshape(self.shape)
        nearest = np.round(values / np.float32(self.scale)) + self.zero
        return np.clip(nearest, -128, 127).astype(np.int8).reshape(self.shape)

    def decoded(self, tensor: np.ndarray) -> np.ndarray:
        """What the tensor stands for, float32."""
        values = np.asarray(tensor).reshape(self.shape).astype(np.float32)
        return (values - self.zero) * np.float32(self.scale) if self.scale else values


def log_softmax(logits: np.ndarray) -> np.ndarray:
    """Logarithms of probabilities along the last axis, float32: the step that is left out on a device."""
    shifted = logits - logits.max(-1, keepdims=True)
    return (shifted - np.log(np.exp(shifted).sum(-1, keepdims=True))).astype(np.float32)
