"""What all reading programs share: rounds and clock, widths and buckets."""

import numpy as np
import pytest
import torch

from fsdl_deploy.cards import cards
from fsdl_deploy.reader import OnnxReader
from fsdl_deploy.targets import modules, reading_program

DECK = list(cards(12, "typical", seed=21))
IMAGES = [card.image for card in DECK]


@pytest.fixture(scope="module")
def expected():
    return [(reading.digits, reading.confidence) for reading in OnnxReader("v2").read(IMAGES)]


def assert_same(read, expected):
    for image, (digits, confidence) in zip(IMAGES, expected, strict=True):
        reading, own = read(image)
        assert reading == digits and own == pytest.approx(confidence, abs=1e-4)


@pytest.mark.parametrize("options", [{}, {"multiple": 4}, {"buckets": (160, 272)}, {"multiple": 32}])
def test_a_bare_network_reads_as_the_whole_at_any_filling(expected, options):
    network, widths = modules.bare(), set()

    def run(ink):
        widths.add(ink.shape[3])
        with torch.inference_mode():
            return network(torch.from_numpy(ink)).numpy()

    if options:
        assert_same(reading_program.bare(run, **options), expected)
        assert all(width % options.get("multiple", 4) == 0 for width in widths)
        assert widths <= {*options.get("buckets", widths)}
    else:  # as wide as the card is
        assert_same(reading_program.bare(run), expected)


def test_a_masked_network_gets_the_cards_own_width(expected):
    network, asked = modules.masked(), []

    def run(ink, widths):
        asked.append(int(widths[0]))
        with torch.inference_mode():
            return [array.numpy() for array in network(torch.from_numpy(ink), torch.from_numpy(widths))]

    assert_same(reading_program.masked(run, buckets=(160, 272)), expected)
    assert asked == [-(-image.shape[1] // 2) for image in IMAGES]


def test_a_whole_reader_in_buckets_gets_white_paper_beside_the_card(expected):
    session, shapes = OnnxReader("v2"), set()

    def run(pictures, widths):
        shapes.add(pictures.shape)
        assert (pictures[:, :, widths[0] :] == 255).all()
        return session.run(pictures, widths)

    assert_same(reading_program.whole(run, buckets=(260, 460)), expected)
    assert shapes == {(1, 64, 260), (1, 64, 460)}
    with pytest.raises(ValueError, match="fits none"):
        reading_program.whole(run, buckets=(100,))(IMAGES[0])


def test_the_shortest_round_counts_for_each_card(monkeypatch):
    clock = iter([0, 5, 10, 11, 20, 23, 30, 37])  # two cards, two rounds: 5 and 1, 3 and 7
    monkeypatch.setattr("time.perf_counter", lambda: next(clock))
    readings, seconds = reading_program.rounds(lambda image: (str(image), 1.0), ["a", "b"], 2)
    assert seconds == [3, 1] and readings == [("a", 1.0), ("b", 1.0)]


def test_a_target_brings_a_clock_of_its_own_where_not_all_time_is_its():
    waited = iter([0, 2, 2, 9])
    assert reading_program.rounds(lambda image: ("7", 1.0), ["a", "b"], 1, lambda: next(waited))[1] == [2, 7]


def test_in_turns_each_has_its_shortest_times(monkeypatch):
    steps = iter([0, 4, 10, 11, 20, 22, 30, 36])  # a, b, a, b: 4, 1, 2, 6
    monkeypatch.setattr("time.perf_counter", lambda: next(steps))
    order = []
    reads = {name: lambda image, name=name: (order.append(name), 1.0) for name in "ab"}
    shortest = reading_program.in_turns(reads, ["card"], 2)
    assert order == ["a", "b", "a", "b"]
    assert {name: seconds.tolist() for name, seconds in shortest.items()} == {"a": [2], "b": [1]}


def test_an_empty_reading_is_a_reading():
    outputs = [np.full((1, 5), -1), np.zeros((1, 5)), np.array([0.9])]
    assert reading_program.whole(lambda *_: outputs)(np.zeros((64, 9), np.uint8)) == ("", 0.9)
