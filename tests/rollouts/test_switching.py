"""A reader that is one of two, by a file."""

import numpy as np

from fsdl_deploy import files
from fsdl_deploy.reading import Reading
from fsdl_deploy.rollouts.switching import SwitchingReader


class Named:
    def __init__(self, name):
        self.model_version = name

    def read(self, images):
        return [Reading("1", 1.0, (1.0,), self.model_version) for _ in images]


def test_the_file_says_who_reads_and_nonsense_changes_nothing(tmp_path):
    switch = tmp_path / "active"
    reader = SwitchingReader({"v2": Named("v2"), "v3": Named("v3")}, switch)
    for content, expected in ((None, "v2"), ("v3\n", "v3"), ("v9", "v3"), ("", "v3"), ("v2", "v2")):
        if content is not None:
            files.write(switch, content)
        (reading,) = reader.read([np.zeros((8, 8), np.uint8)])
        assert reading.model_version == reader.model_version == expected
    switch.unlink()
    assert reader.model_version == "v2"
