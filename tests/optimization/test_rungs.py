"""The readers of the ladder: what a cascade hands on, what fewer bits keep, what a rung that is none says."""

import numpy as np
import pytest

from fsdl_deploy import weights
from fsdl_deploy.cards import cards
from fsdl_deploy.optimization import rungs
from fsdl_deploy.reader import EvenReader, OnnxReader
from fsdl_deploy.reading import Reading


class Fake:
    def __init__(self, name, confidences):
        self.model_version, self.confidences, self.asked = name, confidences, []

    def read(self, images):
        self.asked += [int(image[0, 0]) for image in images]
        return [
            Reading(self.model_version, self.confidences[int(i[0, 0])], (), self.model_version)
            for i in images
        ]


@pytest.fixture(scope="module")
def deck():
    return list(cards(40, "typical", seed=15))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("files")


def test_a_cascade_hands_on_what_is_unsure_and_keeps_the_order():
    first, second = Fake("small", [0.9, 0.2, 0.6, 0.59]), Fake("large", [0.1, 0.1, 0.1, 0.1])
    cascade = rungs.CascadeReader(first, second, sure=0.6)
    said = cascade.read([np.full((32, 40), place, np.uint8) for place in range(4)])
    assert [one.model_version for one in said] == ["small", "large", "small", "large"]
    assert second.asked == [1, 3] and cascade.share == 0.5
    cascade.read([np.zeros((32, 40), np.uint8)])
    assert second.asked == [1, 3] and cascade.share == 0.4


def test_the_threshold_hands_on_the_share_that_it_should():
    reader = EvenReader()
    found = rungs.threshold(reader, 300)
    assert found == pytest.approx(rungs.SURE, abs=0.2)
    readings = reader.read([card.image for card in cards(300, "typical", seed=31)])
    assert np.mean([one.confidence < found for one in readings]) == pytest.approx(rungs.ESCALATED, abs=0.01)


@pytest.mark.parametrize("kind", ["v2:dynamic", "v2:static", "v2:float16", "v2:graph", "teacher:padded"])
def test_every_form_of_a_model_reads_nearly_what_the_model_reads(kind, deck, folder):
    deck = deck[:10] if kind.startswith("teacher") else deck
    images = [card.image for card in deck]
    wanted = OnnxReader(kind.partition(":")[0]).read(images)
    said = rungs.make(kind, folder, max(image.shape[1] for image in images)).read(images)
    assert sum(one.digits != other.digits for one, other in zip(said, wanted, strict=True)) <= 2


def test_fewer_bits_are_fewer_bytes_and_the_file_is_made_once(folder):
    static = rungs.quantized("v2", "static", folder)
    written = static.stat().st_mtime_ns
    assert rungs.quantized("v2", "static", folder) == static and static.stat().st_mtime_ns == written
    whole = (weights.folder() / "v2.onnx").stat().st_size
    assert static.stat().st_size < 0.75 * whole
    assert rungs.quantized("v2", "float16", folder).stat().st_size < 0.75 * whole


def test_another_model_or_runtime_gets_a_file_of_its_own(folder, monkeypatch):
    made = rungs.quantized("v2", "float16", folder)
    with monkeypatch.context() as changed:
        changed.setattr("importlib.metadata.version", lambda _: "0.0.1")
        assert rungs.quantized("v2", "float16", folder) != made
    other = weights.verified("v1.onnx")
    monkeypatch.setattr(weights, "verified", lambda _: other)
    trained_again = rungs.quantized("v2", "float16", folder)
    assert trained_again != made and trained_again.read_bytes() != made.read_bytes()


def test_the_size_is_that_of_the_files_that_are_loaded(folder):
    def of(name):
        return (weights.folder() / name).stat().st_size / 1024

    assert rungs.kibibytes("v2:onnx", folder) == of("v2.onnx")
    assert rungs.kibibytes("teacher:padded", folder) == of("teacher.safetensors")
    assert rungs.kibibytes("v2:even", folder) == of("v2-even.onnx")
    assert rungs.kibibytes("cascade", folder) == of("v2-even.onnx") + of("teacher.onnx")
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
