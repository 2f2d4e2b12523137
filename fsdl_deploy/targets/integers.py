"""Integers in place of numbers with a point: how an int8 network takes its ink, and gives its logits

NumPy and the standard library only: it runs in every station.
"""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Steps:
    """An int8 tensor: value = (integer - ``zero``) * ``scale``."""

    shape: tuple[int, ...]
    scale: float
    zero: int

    @classmethod
    def of(cls, details: dict) -> "Steps":
        """As an interpreter of LiteRT describes a tensor. ValueError where it has not one scale."""
        parameters = details["quantization_parameters"]
        (scale,), (zero,) = parameters["scales"], parameters["zero_points"]
        return cls(tuple(int(size) for size in details["shape"]), float(scale), int(zero))

    def to_int8(self, values: np.ndarray) -> np.ndarray:
        """The nearest integers, in this tensor's shape; what lies outside becomes an end of the range."""
        nearest = np.round(values / np.float32(self.scale)) + self.zero
        return np.clip(nearest, -128, 127).astype(np.int8).reshape(self.shape)

    def to_float(self, integers: np.ndarray) -> np.ndarray:
        """What the integers stand for, float32."""
        return (np.asarray(integers).reshape(self.shape).astype(np.float32) - self.zero) * np.float32(
            self.scale
        )


def log_softmax(logits: np.ndarray) -> np.ndarray:
    """Logarithms of probabilities along the last axis, float32: the step that is left out on a device."""
    shifted = logits - logits.max(-1, keepdims=True)
    return (shifted - np.log(np.exp(shifted).sum(-1, keepdims=True))).astype(np.float32)
