"""Where a reader computes: on the processor, or on a GPU through CUDA.

``cpu``, ``cuda``, or ``auto``: the GPU if there is one. What is asked for and is not there is an error:
ONNX Runtime itself would go on without the GPU and say so in its log only, so the session is asked what it
really has. Knows nothing of models.
"""

import warnings

DEVICES = ("cpu", "cuda", "auto")
CUDA, CPU = "CUDAExecutionProvider", "CPUExecutionProvider"
# Each picture of another width is another shape. By default the first call of each shape tries out every way
# to compute each convolution, which takes longer than many calls.
OPTIONS = {"cudnn_conv_algo_search": "HEURISTIC"}
PACKAGE = "'onnxruntime-gpu[cuda,cudnn]'"


class DeviceError(RuntimeError):
    """The device that was asked for is not here; the message says what to do."""


def onnx_session(graph: bytes, options, device: str = "cpu"):
    """A session of ONNX Runtime for ``graph`` on one of DEVICES, and where it is: "cpu" or "cuda".

    Raises DeviceError when "cuda" is asked for and cannot be had. With "auto" a GPU that ONNX Runtime offers
    but cannot start is a warning.
    """
    import onnxruntime

    _check(device)
    offered = CUDA in onnxruntime.get_available_providers()
    if device == "cuda" and not offered:
        raise DeviceError(
            "this ONNX Runtime is built without CUDA: pip uninstall onnxruntime, "
            f"then pip install {PACKAGE}, on a machine with an NVIDIA GPU"
        )
    if device == "cpu" or not offered:
        return onnxruntime.InferenceSession(graph, options, providers=[CPU]), "cpu"
    if hasattr(onnxruntime, "preload_dlls"):
        onnxruntime.preload_dlls()  # CUDA and cuDNN from pip's packages, where they are installed
    # What has no CUDA code, such as work on shapes, is left to the processor.
    session = onnxruntime.InferenceSession(graph, options, providers=[(CUDA, OPTIONS), CPU])
    if CUDA in session.get_providers():
        session.disable_fallback()  # nor later, when a call fails
        return session, "cuda"
    problem = (
        "ONNX Runtime has CUDA but could not start it: nvidia-smi must show a GPU, and CUDA and cuDNN must "
        f"be of the versions that its log names (pip install {PACKAGE} brings them)"
    )
    if device == "cuda":
        raise DeviceError(problem)
    warnings.warn(f"{problem}; this reader computes on the processor", stacklevel=3)
    return session, "cpu"


def torch_device(device: str = "cpu") -> str:
    """Where torch computes for one of DEVICES: "cpu" or "cuda". Raises DeviceError, see ``onnx_session``."""
    _check(device)
    if device == "cpu":
        return "cpu"
    import torch

    if torch.cuda.is_available():
        return "cuda"
    if device == "auto":
        return "cpu"
    if torch.version.cuda is None:
        raise DeviceError(
            "this torch is built without CUDA: pip install torch from an index that has CUDA builds "
            "(the set-up takes the one that FSDL_TORCH_INDEX names)"
        )
    raise DeviceError(
        f"torch finds no GPU: nvidia-smi must show one, with a driver for CUDA {torch.version.cuda} or later"
    )


def _check(device: str) -> None:
    if device not in DEVICES:
        raise ValueError(f"there is no device {device!r}: choose {', '.join(DEVICES)}")
