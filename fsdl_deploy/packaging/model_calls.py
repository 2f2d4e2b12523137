"""Models as functions from arrays to arrays, as a parity test calls them: a torch module, an ONNX file.

Knows nothing of what the answers are compared with.
"""

from fsdl_deploy.packaging.parity import Call


def in_torch(module) -> Call:
    """A torch module as a function: its inputs as arrays, in order, to its outputs as a list of arrays."""
    import torch

    def answer(*arrays):
        with torch.inference_mode():
            outputs = module(*map(torch.from_numpy, arrays))
        return [output.numpy() for output in (outputs if isinstance(outputs, tuple) else (outputs,))]

    return answer


def in_onnxruntime(content: bytes, reuse: bool = True) -> Call:
    """The bytes of an ONNX file as a function: its inputs as arrays, in order, to its outputs as arrays.

    One thread. ``reuse``: whether the runtime may keep several values in one piece of memory, one after the
    other. Raises what ONNX Runtime raises for a file that it cannot load; the function, for arrays that the
    graph does not take, or ValueError for too few or too many.
    """
    import onnxruntime

    quiet = onnxruntime.SessionOptions()
    quiet.log_severity_level, quiet.intra_op_num_threads, quiet.enable_mem_reuse = 4, 1, reuse
    session = onnxruntime.InferenceSession(content, quiet, providers=["CPUExecutionProvider"])
    names = [model_input.name for model_input in session.get_inputs()]
    return lambda *arrays: session.run(None, dict(zip(names, arrays, strict=True)))
