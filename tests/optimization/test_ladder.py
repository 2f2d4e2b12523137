"""The ladder: the mix, the counting, rungs as processes. No speed is asserted but of arithmetic."""

import multiprocessing

import numpy as np
import pytest

from fsdl_deploy import cli
from fsdl_deploy.cards import cards
from fsdl_deploy.measuring import records
from fsdl_deploy.optimization import ladder, rungs
from fsdl_deploy.optimization.concurrency import calls
from fsdl_deploy.optimization.ladder import RungResult
from fsdl_deploy.optimization.rungs import Rung
from fsdl_deploy.paths import ROOT
from fsdl_deploy.running import workers


def test_rungs_run_as_processes_are_counted_and_end():
    chosen = [Rung("one", "v2:onnx", workers=2), Rung("two", "v2:onnx", workers=1, batch=8, aside=True)]
    chosen += [Rung("three", "v2:onnx", workers=1, batch=8, cached=True)]
    results = ladder.climb(chosen, count=20, rounds=1, seconds=0.05)
    first, second, third = results
    assert [result.rung for result in results] == ["one", "two", "three"] and second.aside
    assert all(result.per_second > 0 and result.p50 > 0 and result.memory > 20 for result in results)
    assert all(result.cards == 20 for result in results) and (first.fixed, first.broken) == (0, 0)
    assert second.right == first.right + second.fixed - second.broken
    assert third.hit_rate is not None and first.hit_rate is None
    assert not multiprocessing.active_children()


def test_the_first_rung_pads_to_the_longest_card_of_both_decks(monkeypatch):
    widths = []
    monkeypatch.setattr(rungs, "make", lambda kind, folder, longest: widths.append(longest))
    monkeypatch.setattr(ladder, "read_right", lambda *_: [True])
    monkeypatch.setattr(ladder, "_rounds", lambda *_: [])
    monkeypatch.setattr(workers, "start", lambda *given: widths.append(given[-1]) or (None, One()))
    monkeypatch.setattr(workers, "end", list)
    with pytest.raises(ValueError):  # nothing was measured
        ladder.climb([Rung("a", "v2:padded", workers=1)], count=300, rounds=1)
    decks = [*cards(300, "typical", seed=41), *cards(256, "typical", seed=43)]
    assert widths == [max(card.image.shape[1] for card in decks)] * 2


class One:
    def recv(self):
        return 1.0


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
    (result,) = ladder._rounds(started, [1.0], right, 1, 0.1, 13, lambda _: None)
    assert [pipe.asked for pipe in pipes] == [3, 3]
    assert (result.per_second, result.p50) == (40.0, 2.0)


def test_the_hit_rate_is_that_of_all_workers_and_stands_in_the_table():
    class Cached(Slow):
        def __init__(self, rate):
            super().__init__()
            self.rate = rate

        def recv(self):
            return *super().recv()[:2], self.rate

    started = [(Rung("cache", "v2:onnx", cached=True), [(None, Cached(0.4)), (None, Cached(0.6))])]
    (result,) = ladder._rounds(started, [1.0], {"v2:onnx": [True]}, 1, 0.1, 1, lambda _: None)
    assert result.hit_rate == 0.5
    head, line = str(ladder.table([result])).splitlines()
    assert line.endswith("50.0%") and len(line) == len(head) <= 130


def test_the_whole_ladder_fits_on_a_screen():
    record = records.read(ROOT / "models" / "ladder.json")
    lines = str(ladder.table([RungResult(**row) for row in record["rungs"]])).splitlines()
    assert len(lines) == 1 + len(record["rungs"]) and len(lines[0]) <= 130


def test_a_cached_worker_is_sent_its_share_and_the_others_the_deck_again_and_again():
    images = [np.full((32, 40), 200 + place, np.uint8) for place in range(4)]
    plain = calls(Rung("a", "v2:onnx", batch=3), 1, images)
    assert [[int(image[0, 0]) - 200 for image in next(plain)] for _ in range(2)] == [[0, 1, 2], [3, 0, 1]]
    rung = Rung("b", "v2:onnx", workers=2, batch=50, cached=True, sticky=True)
    seen = [{image.tobytes() for image in next(calls(rung, n, images))} for n in (0, 1)]
    assert not seen[0] & seen[1] and min(map(len, seen)) > len(images)


def test_a_worker_that_dies_is_an_error_and_leaves_nothing_behind():
    with pytest.raises(EOFError):
        ladder.climb(
            [Rung("good", "v2:onnx", workers=1), Rung("bad", "v2:onnx", workers=1, threads=1, batch=0)],
            count=1, rounds=1, seconds=0.01,
        )  # fmt: skip
    assert not multiprocessing.active_children()


def test_factors_in_the_table_skip_rungs_that_lead_aside():
    def result(name, rate, aside=False):
        return RungResult(name, aside, rate, 1.0, 2.0, 100.0, 9, 10, 1, 0)

    table = ladder.table([result("a", 10), result("b", 5, aside=True), result("c", 30)])
    lines = str(table).splitlines()
    factors = [["1.00", "1.0", "0%"], ["0.50", "0.5"], ["3.00", "3.0", "100%"]]
    assert [line.split()[2 + line.startswith("*") : -7] for line in lines[1:]] == factors
    assert lines[2].startswith("* b") and "90.0%" in lines[1]


def test_the_paired_test_stands_beside_fixed_and_broken():
    changed = ((0, 0), (1, 9), (0, 30))
    results = [RungResult("a", False, 1.0, 1.0, 2.0, 3.0, 9, 99, *counts) for counts in changed]
    lines = str(ladder.table(results)).splitlines()
    assert [line.split()[-3:] for line in lines[1:]] == [
        ["0", "0", "1.000"],
        ["1", "9", "0.021"],
        ["0", "30", "<.001"],
    ]


def test_what_compiling_took_stands_beside_the_rate():
    plain = RungResult("a", False, 10.0, 1.0, 2.0, 100.0, 9, 10, 1, 0)
    compiled = RungResult("b", True, 12.0, 1.0, 2.0, 100.0, 9, 10, 1, 0, compiling=61.7)
    lines = str(ladder.table([plain, compiled])).splitlines()
    assert lines[2].endswith("after 62 s of compiling") and "compiling" not in lines[1]


@pytest.mark.parametrize("words", [["--cards", "0"], ["--rounds", "0"], ["--seconds", "0"], ["--calls", "0"]])
def test_bad_options_are_refused_in_a_sentence(words, capsys):
    assert cli.main(["bench", "ladder", *words]) == 1
    assert "must be at least 1" in capsys.readouterr().err
