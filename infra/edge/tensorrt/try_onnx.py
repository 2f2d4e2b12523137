"""Operations one by one through TensorRT's parser and builder: running needs a GPU, refusing does not"""

from pathlib import Path

import engine

from fsdl_deploy.targets import catalogue, probing_program

USUAL = 16  # of an axis that is left open


def convert(graph: Path) -> bytes:
    parsed = engine.Parsed(graph.read_bytes())
    if parsed.problems:
        raise RuntimeError(parsed.problems[0])
    profile, configuration = (
        parsed.builder.create_optimization_profile(),
        parsed.builder.create_builder_config(),
    )
    for place in range(parsed.network.num_inputs):
        given = parsed.network.get_input(place)
        if -1 in tuple(given.shape):
            least, most = catalogue.OPEN
            sizes = ([size if axis == -1 else axis for axis in given.shape] for size in (least, USUAL, most))
            profile.set_shape(given.name, *sizes)
    configuration.add_optimization_profile(profile)
    built = parsed.builder.build_serialized_network(parsed.network, configuration)
    if built is None:
        raise RuntimeError("TensorRT built no engine")
    return bytes(built)


if __name__ == "__main__":
    probing_program.main_onnx(convert, None)
