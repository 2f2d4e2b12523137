"""torch.compile as a rung: what is said where it cannot run, and what is counted as compiling."""

import os
import time

import numpy as np
import pytest
import torch

from fsdl_deploy import cli
from fsdl_deploy.optimization import ladder, torch_compile


class Slow:
    """Like a reader that compiles at its first call of each width."""

    def __init__(self):
        self.known, self.calls = set(), 0

    def read(self, images):
        self.calls += 1
        for image in images:
            if image.shape not in self.known:
                time.sleep(0.05)
                self.known.add(image.shape)


def test_only_what_the_first_calls_take_longer_is_compiling():
    reader, images = Slow(), [np.zeros((8, 8 + place % 2), np.uint8) for place in range(6)]
    assert torch_compile.seconds(reader, images, 2) == pytest.approx(0.1, abs=0.09) and reader.calls == 6


def test_a_machine_without_compiler_or_headers_says_so_in_a_sentence(monkeypatch, tmp_path):
    monkeypatch.setenv("CXX", str(tmp_path / "no-compiler"))
    assert "there is no C++ compiler" in torch_compile.missing() and "no-compiler" in torch_compile.missing()
    monkeypatch.setenv("CXX", "python3")  # some program that is there
    monkeypatch.setattr("sysconfig.get_path", lambda name: str(tmp_path))
    assert "Python's headers" in torch_compile.missing()
    (tmp_path / "Python.h").touch()
    monkeypatch.setattr("shutil.which", lambda name: name)
    assert torch_compile.missing() is None


@pytest.mark.parametrize("before", [None, "/somewhere"])
def test_the_cache_and_the_threads_are_put_back(monkeypatch, tmp_path, before):
    monkeypatch.delenv(torch_compile.CACHE, raising=False)
    if before:
        monkeypatch.setenv(torch_compile.CACHE, before)
    threads = torch.get_num_threads()
    with torch_compile.empty_cache(tmp_path), torch_compile.threads(threads + 1):
        assert os.environ[torch_compile.CACHE] == str(tmp_path) and torch.get_num_threads() == threads + 1
    assert os.environ.get(torch_compile.CACHE) == before and torch.get_num_threads() == threads


@pytest.mark.parametrize("options", [["--no-compile"], []])
def test_the_command_leaves_it_out_where_it_cannot_run(monkeypatch, capsys, options):
    asked = []
    monkeypatch.setattr(torch_compile, "missing", lambda: "torch.compile is left out: no compiler")
    monkeypatch.setattr(ladder, "climb", lambda chosen, *_, **__: asked.extend(chosen) or [])
    monkeypatch.setattr(ladder, "table", lambda _: "")
    assert cli.main(["bench", "ladder", *options]) == 0
    assert asked and "torch.compile" not in [rung.name for rung in asked]
    assert capsys.readouterr().out.startswith("torch.compile is left out")
