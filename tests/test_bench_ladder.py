"""The ladder: the mix, the counting, rungs as processes. No speed is asserted but of arithmetic."""

import multiprocessing

import numpy as np
import pytest

from fsdl_deploy import bench_ladder, cli
from fsdl_deploy.bench_ladder import UPLOADS, Measured, Rung


def test_the_mix_is_what_it_says():
    uploads = bench_ladder.month_end(5000)
    times = np.bincount(uploads)
    assert len(times) == 5000 and set(times) == set(UPLOADS)
    for count, share in UPLOADS.items():
        assert np.mean(times == count) == pytest.approx(share, abs=0.03)
    assert (uploads == bench_ladder.month_end(5000)).all()
    assert not (np.sort(uploads) == uploads).all()


def test_rungs_run_as_processes_are_counted_and_end():
    rungs = [Rung("one", "v2:onnx", workers=2), Rung("two", "v2:even", workers=1, batch=8, aside=True)]
    rungs += [Rung("three", "v2:even", workers=1, batch=8, cached=True)]
    found = bench_ladder.climb(rungs, count=20, rounds=1, seconds=0.05)
    assert [one.rung for one in found] == ["one", "two", "three"] and found[1].aside
    assert all(one.per_second > 0 and one.p50 > 0 and one.memory > 20 and one.cards == 20 for one in found)
    assert (found[0].fixed, found[0].broken) == (0, 0)
    assert found[1].right == found[0].right + found[1].fixed - found[1].broken
    assert not multiprocessing.active_children()


class Slow:
    """The pipe of a worker that makes three calls whenever it is asked."""

    def __init__(self):
        self.asked = 0

    def send(self, seconds) -> None:
        self.asked += 1

    def recv(self):
        return 10.0 * self.asked, [1.0, 2.0, 9.0], None


def test_a_rung_of_few_calls_is_asked_again_until_it_has_enough():
    pipes, right = [Slow(), Slow()], {"v2:onnx": [True]}
    started = [(Rung("slow", "v2:onnx"), [(None, pipe) for pipe in pipes])]
    (found,) = bench_ladder._rounds(started, [1.0], right, 1, 0.1, 13, lambda _: None)
    assert [pipe.asked for pipe in pipes] == [3, 3]
    assert (found.per_second, found.p50) == (40.0, 2.0)


def test_a_worker_that_dies_is_an_error_and_leaves_nothing_behind():
    with pytest.raises(EOFError):
        bench_ladder.climb(
            [Rung("good", "v2:even", workers=1), Rung("bad", "v2:even", workers=1, threads=1, batch=0)],
            count=1, rounds=1, seconds=0.01,
        )  # fmt: skip
    assert not multiprocessing.active_children()


def test_factors_in_the_table_skip_rungs_that_lead_aside():
    def one(name, rate, aside=False):
        return Measured(name, aside, rate, 1.0, 2.0, 100.0, 9, 10, 1, 0)

    lines = bench_ladder.table([one("a", 10), one("b", 5, aside=True), one("c", 30)]).splitlines()
    factors = [["1.00", "1.0", "0%"], ["0.50", "0.5"], ["3.00", "3.0", "100%"]]
    assert [line.split()[2 + line.startswith("*") : -6] for line in lines[1:]] == factors
    assert lines[2].startswith("* b") and "90.0%" in lines[1]


def test_what_compiling_took_stands_beside_the_rate():
    plain = Measured("a", False, 10.0, 1.0, 2.0, 100.0, 9, 10, 1, 0)
    compiled = Measured("b", True, 12.0, 1.0, 2.0, 100.0, 9, 10, 1, 0, compiling=61.7)
    lines = bench_ladder.table([plain, compiled]).splitlines()
    assert lines[2].endswith("after 62 s of compiling") and "compiling" not in lines[1]


@pytest.mark.parametrize("words", [["--cards", "0"], ["--rounds", "0"], ["--seconds", "0"], ["--calls", "0"]])
def test_bad_options_are_refused_in_a_sentence(words, capsys):
    assert cli.main(["bench", "ladder", *words]) == 1
    assert "must be at least 1" in capsys.readouterr().err
