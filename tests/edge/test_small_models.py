"""Small networks: the paper's parameters, bytes that follow from them, and outputs of the right shape."""

import pytest

from fsdl_deploy.edge import small_models


def test_parameters_are_those_of_the_papers():
    # Howard et al. 2017, table 4: 29.3 and 4.2 million. Sanh et al. 2019, table 3: 110 and 66 million.
    assert small_models.parameters(small_models.mobilenet(False)) / 1e6 == pytest.approx(29.3, abs=0.1)
    assert small_models.parameters(small_models.mobilenet()) / 1e6 == pytest.approx(4.2, abs=0.05)
    base, distil = small_models.berts()
    assert base.parameters / 1e6 == pytest.approx(110, abs=1)
    assert distil.parameters / 1e6 == pytest.approx(66, abs=1)


def test_measured_files_hold_the_parameters_and_each_is_timed():
    plain, separable, half = small_models.mobilenets(side=32, rounds=1)
    for model in (plain, separable, half):
        assert model.size == pytest.approx(4 * model.parameters, rel=0.02) and model.ms > 0
    assert plain.parameters > 6 * separable.parameters > 12 * half.parameters
    assert len(small_models.table([plain, separable, half]).rows) == 3
