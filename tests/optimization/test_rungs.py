"""The readers of the ladder: what they read, the sizes of their files, what a rung that is none says."""

import pytest

from fsdl_deploy import weights
from fsdl_deploy.cards import cards
from fsdl_deploy.measuring.machine import whole_cores
from fsdl_deploy.optimization import rungs
from fsdl_deploy.optimization.rungs import Rung, all_rungs
from fsdl_deploy.reader import OnnxReader


@pytest.fixture(scope="module")
def deck():
    return list(cards(40, "typical", seed=15))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("files")


@pytest.mark.parametrize("kind", ["v2:dynamic", "v2:static", "v2:float16", "v2:graph", "teacher:padded"])
def test_every_form_of_a_model_reads_nearly_what_the_model_reads(kind, deck, folder):
    deck = deck[:10] if kind.startswith("teacher") else deck
    images = [card.image for card in deck]
    expected = OnnxReader(kind.partition(":")[0]).read(images)
    readings = rungs.make(kind, folder, max(image.shape[1] for image in images)).read(images)
    pairs = zip(readings, expected, strict=True)
    assert sum(reading.digits != other.digits for reading, other in pairs) <= 2


def test_the_size_is_that_of_the_files_that_are_loaded(folder):
    def of(name):
        return (weights.folder() / name).stat().st_size / 1024

    assert rungs.kibibytes("v2:onnx", folder) == of("v2.onnx")
    assert rungs.kibibytes("teacher:padded", folder) == of("teacher.safetensors")
    assert rungs.kibibytes("cascade", folder) == of("v2.onnx") + of("teacher.onnx")
    assert 0 < rungs.kibibytes("v2:static", folder) < of("v2.onnx")


def test_no_such_rung(folder):
    with pytest.raises(ValueError, match="there is no rung 'v2:int4'"):
        rungs.make("v2:int4", folder)


def test_a_padded_rung_pads_to_the_longest_that_it_is_told(deck, folder, monkeypatch):
    reader, widths = rungs.make("v2:padded", folder, 503), []
    run = reader.run
    monkeypatch.setattr(reader, "run", lambda p, w: widths.append(p.shape[2]) or run(p, w))
    reader.read([card.image for card in deck[:3]])
    assert widths == [503] * 3
    with pytest.raises(ValueError, match="pads each card to the longest"):
        rungs.make("v2:padded", folder)


def test_a_rung_has_a_worker_a_core_unless_it_says_otherwise():
    assert Rung("a", "v2:onnx").workers == whole_cores() and Rung("b", "v2:onnx", workers=3).workers == 3
    first, *others = all_rungs()
    assert first.workers == 2 * whole_cores() + 1 and {rung.workers for rung in others} == {whole_cores()}
