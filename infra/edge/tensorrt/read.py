"""Read cards with an engine of TensorRT for RTX, where an NVIDIA GPU is; elsewhere one sentence, status 1.

The GPU's driver is called directly: it allocates the memory and copies, and TensorRT runs in between. What an
engine does with a GPU could not be tried where this was written.
"""

import ctypes
import sys
from pathlib import Path

import numpy as np
import tensorrt_rtx as trt

from fsdl_deploy.targets import reading_program

NO_GPU = "TensorRT runs on NVIDIA's GPUs only, and no driver of one answers on this machine."
DRIVER = "nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1"


class Gpu:
    """Memory on the first GPU, by NVIDIA's driver. RuntimeError where none answers, or a call fails."""

    def __init__(self):
        try:
            self.driver = ctypes.CDLL(DRIVER)
        except OSError:
            raise RuntimeError(NO_GPU) from None
        if self.driver.cuInit(0):
            raise RuntimeError(NO_GPU)
        device, context = ctypes.c_int(), ctypes.c_void_p()
        self.call("cuDeviceGet", ctypes.byref(device), 0)
        self.call("cuDevicePrimaryCtxRetain", ctypes.byref(context), device)
        self.call("cuCtxSetCurrent", context)

    def call(self, name: str, *arguments) -> None:
        if status := getattr(self.driver, name)(*arguments):
            raise RuntimeError(f"NVIDIA's driver: {name} failed with status {status}")

    def copy_in(self, array: np.ndarray) -> ctypes.c_uint64:
        """A copy of an array on the GPU: its address."""
        address, array = ctypes.c_uint64(), np.ascontiguousarray(array)
        self.call("cuMemAlloc_v2", ctypes.byref(address), ctypes.c_size_t(array.nbytes))
        self.call(
            "cuMemcpyHtoD_v2", address, array.ctypes.data_as(ctypes.c_void_p), ctypes.c_size_t(array.nbytes)
        )
        return address

    def copy_out(self, address: ctypes.c_uint64, array: np.ndarray) -> None:
        """Fill an array from the GPU, once all that was started is done, and free the memory."""
        self.call("cuCtxSynchronize")
        self.call(
            "cuMemcpyDtoH_v2", array.ctypes.data_as(ctypes.c_void_p), address, ctypes.c_size_t(array.nbytes)
        )
        self.call("cuMemFree_v2", address)


def open_artifact(artifact: Path) -> reading_program.ReadCard:
    gpu = Gpu()
    runtime = trt.Runtime(trt.Logger(trt.Logger.ERROR))
    engine = runtime.deserialize_cuda_engine(artifact.read_bytes())
    context = engine.create_execution_context()
    outputs = ("digits", "digit_confidence", "confidence")

    def run(pictures: np.ndarray, widths: np.ndarray) -> list[np.ndarray]:
        inputs = {"pictures": pictures, "widths": widths}
        for name, array in inputs.items():
            context.set_input_shape(name, array.shape)
        results = {
            name: np.empty(tuple(context.get_tensor_shape(name)), trt.nptype(engine.get_tensor_dtype(name)))
            for name in outputs
        }
        places = {name: gpu.copy_in(array) for name, array in (inputs | results).items()}
        for name, address in places.items():
            context.set_tensor_address(name, address.value)
        if not context.execute_async_v3(0):
            raise RuntimeError("TensorRT did not run the engine")
        for name, array in (inputs | results).items():
            gpu.copy_out(places[name], array)
        return list(results.values())

    return reading_program.whole(run)


if __name__ == "__main__":
    try:
        reading_program.main(__doc__, open_artifact, ("tensorrt-rtx",))
    except RuntimeError as error:
        raise SystemExit(str(error)) from None
