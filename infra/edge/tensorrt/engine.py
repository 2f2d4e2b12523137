"""Parse an ONNX file with TensorRT for RTX and build its engine: ``engine.py FILE.onnx [--out FILE.engine]``.

No GPU is needed: what depends on it is compiled where the engine is first used. Prints JSON: what the parser
understood, or why it refused, and the size of the engine. Also the functions of ``build.py``.
"""

import argparse
import json
import time
from pathlib import Path

import tensorrt_rtx as trt

# The least, the usual and the largest input: batch, height and width of pictures.
PICTURES = (1, 16, 16), (1, 64, 224), (32, 256, 1024)


class Parsed:
    """An ONNX file as TensorRT's network. ``problems``: why the parser refused it, each in a line."""

    def __init__(self, model: bytes):
        self.logger = trt.Logger(trt.Logger.INTERNAL_ERROR)  # the parser's own errors are asked for below
        self.builder = trt.Builder(self.logger)
        flag = 1 << int(trt.NetworkDefinitionCreationFlag.STRONGLY_TYPED)
        self.network = self.builder.create_network(flag)
        self.parser = trt.OnnxParser(self.network, self.logger)
        accepted = self.parser.parse(model)
        errors = [self.parser.get_error(place) for place in range(self.parser.num_errors)]
        self.problems = [] if accepted else [error.desc().strip() for error in errors]

    def tensors(self) -> dict[str, str]:
        """Inputs and outputs: their types and sizes, -1 where any."""
        network = self.network
        tensors = [network.get_input(place) for place in range(network.num_inputs)]
        tensors += [network.get_output(place) for place in range(network.num_outputs)]
        return {tensor.name: f"{tensor.dtype.name} {tuple(tensor.shape)}" for tensor in tensors}

    def engine(self) -> bytes:
        """Build the engine. RuntimeError where TensorRT gives none."""
        profile, configuration = (
            self.builder.create_optimization_profile(),
            self.builder.create_builder_config(),
        )
        profile.set_shape("pictures", *PICTURES)
        profile.set_shape("widths", *((batch,) for batch, _, _ in PICTURES))
        configuration.add_optimization_profile(profile)
        engine = self.builder.build_serialized_network(self.network, configuration)
        if engine is None:
            raise RuntimeError("TensorRT built no engine")
        return bytes(engine)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("model", type=Path)
    parser.add_argument("--out", type=Path)
    args = parser.parse_args()
    parsed = Parsed(args.model.read_bytes())
    report = {"version": trt.__version__, "refused": parsed.problems, "layers": parsed.network.num_layers}
    if not parsed.problems:
        begin = time.perf_counter()
        engine = parsed.engine()
        report |= {"tensors": parsed.tensors(), "bytes": len(engine), "seconds": time.perf_counter() - begin}
        if args.out:
            args.out.write_bytes(engine)
    print(json.dumps(report))


if __name__ == "__main__":
    main()
