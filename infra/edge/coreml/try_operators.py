"""Operations one by one through coremltools: converted only, since a Mac is needed to run them"""

import coremltools as ct

from fsdl_deploy.targets import probing_program


def convert(probe) -> ct.models.MLModel:
    program = probe.exported().run_decompositions({})
    return ct.convert(program, convert_to="mlprogram", minimum_deployment_target=ct.target.iOS17)


if __name__ == "__main__":
    probing_program.main(convert, None)
