"""A small device: the same readings in a process of its own, ended where memory is too little."""

import os

import pytest

from fsdl_deploy import weights
from fsdl_deploy.cards import cards
from fsdl_deploy.edge import limits
from fsdl_deploy.edge.limits import DeviceRun, NoLimits
from fsdl_deploy.reader import OnnxReader

IMAGES = [card.image for card in cards(3, "typical", seed=7)]
GRAPH = weights.folder() / "v2.onnx"


def test_a_process_of_its_own_reads_as_the_reader_does():
    free = limits.run(GRAPH, IMAGES)
    assert list(free.readings) == [reading.digits for reading in OnnxReader().read(IMAGES)]
    assert free.reads and 20 < free.peak < 500  # its own peak, and not that of this process
    assert free.cores is None and free.slowest >= free.mean > 0


def test_limits_end_a_process_or_let_it_read():
    try:
        tight = limits.run(GRAPH, IMAGES, 0.5, 8)
    except NoLimits as reason:
        pytest.skip(str(reason))
    assert not tight.reads and tight.readings == ()
    wide = limits.run(GRAPH, IMAGES, 0.5, 300)
    assert wide.reads and wide.memory == 300
    assert not list(limits.GROUPS.glob(f"**/fsdl-device-{os.getpid()}-*"))


def test_where_no_group_can_be_had_a_sentence_says_so(tmp_path, monkeypatch):
    monkeypatch.setattr(limits, "GROUPS", tmp_path / "nothing")
    with pytest.raises(NoLimits, match="that needs Linux, and root"):
        limits.run(GRAPH, IMAGES, 0.5, 64)


def test_a_file_that_is_no_graph_is_no_want_of_memory(tmp_path):
    file = tmp_path / "model.onnx"
    file.write_bytes(b"no graph")
    with pytest.raises(RuntimeError, match=r"on_device\.py failed"):
        limits.run(file, IMAGES)


def test_the_record_ends_with_the_first_memory_that_is_enough():
    runs = limits.recorded()
    assert runs[0].memory is None and runs[-1].reads
    assert not any(run.reads for run in runs[1:-1])
    assert [run.memory for run in runs[1:]] == sorted(run.memory for run in runs[1:])
    assert len(limits.table(runs).rows) == len(runs)


def test_a_table_has_a_line_for_what_was_ended():
    assert "ended for want of memory" in str(limits.table([DeviceRun(0.25, 8)]))


def test_a_busy_machine_is_no_result():
    free = DeviceRun(None, None, start=1.0, mean=2.0, slowest=3.0, peak=60.0)
    slow, starved = DeviceRun(0.25, 32, 2.0, 4.0, 9.0, 50.0), DeviceRun(0.25, 8)
    assert limits.table([free, slow, starved]).notes == []
    busy = DeviceRun(None, None, start=5.8, mean=11.5, slowest=74.0, peak=60.0)
    (note,) = limits.table([busy, starved, slow]).notes
    assert "Without a limit it started and read more slowly" in note and "no times" in note
    assert limits.table([busy, starved]).notes == []  # nothing to compare it with
