import pytest
import torch

from fsdl_deploy import weights
from fsdl_deploy.optimization import qat


def test_bits_out_of_range():
    with pytest.raises(ValueError, match="2 to 8 bits"):
        qat.prepared(None, 1)


def test_plain_gives_the_weights_back():
    student = weights.load("v2").network
    again = qat.plain(qat.prepared(student, 7)).state_dict()
    for name, value in student.state_dict().items():
        assert torch.equal(again[name], value), name


def test_cards_that_share_digits_say_less():
    hits = [place % 8 > 1 for place in range(80)]  # misread by twos
    apart = qat.row("a", hits, hits, [[place] for place in range(80)])
    shared = qat.row("b", hits, hits, [[place // 2] for place in range(80)])
    assert (apart["digits"], shared["digits"]) == (80, 40)
    assert shared["interval"][0] < apart["interval"][0] < 0.75 < apart["interval"][1] < shared["interval"][1]


def test_an_older_record_says_that_its_intervals_know_of_no_digits():
    row = qat.row("a", [True, False], [True, True], [[0], [1]])
    assert " 95 % interval " in str(qat.table([row]))
    del row["digits"]
    assert "95 %, cards as independent" in str(qat.table([row]))
