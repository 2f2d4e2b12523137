"""The small reader of lab 09: it reads, sound conversions of it agree, and each broken one can be caught."""

import random

import pytest

from fsdl_course.labs.conversions import BROKEN, MOST, Conversion, differs, draw, searched

CAUGHT_BY = {
    "width": [draw("42", 7)],
    "bucket": [draw("1234567", 30)],
    "light": [draw("0420", 18, 0.3)],
    "class": [draw("3", 5)],
    "number": [draw("0420", 18)],
    "axes": [draw("12", 8), draw("345", 12)],
    "padding": [draw("88888888", 31, noise=0), draw("1", 40)],
    "repeats": [draw("4422", 16)],
}


def wrong(conversion, batch):
    return any(differs(*pair) for pair in zip(Conversion()(batch), conversion(batch), strict=True))


def test_the_reader_reads_what_is_drawn():
    texts = ["0420", "1", "00112233", "4567890", "9" * 16]
    batch = [draw(text, 4 * len(text) - 1 + place, 0.3, 0.05, 7) for place, text in enumerate(texts[:4])]
    assert [digits for digits, _ in Conversion()(batch)] == texts[:4]
    assert all(0.9 < confidence <= 1 for _, confidence in Conversion()(batch))


@pytest.mark.parametrize("broken", BROKEN)
def test_a_broken_conversion_is_right_on_a_plain_card_and_wrong_on_another(broken):
    conversion = Conversion("float32", broken, {"bucket": 20, "class": 3}.get(broken, 0))
    assert not wrong(conversion, [draw("1", 4)]), "a test with such a card finds nothing"
    assert wrong(conversion, CAUGHT_BY[broken])


@pytest.mark.parametrize("rounding", ["float32", "float16", "int8"])
def test_a_sound_conversion_is_never_called_wrong(rounding):
    generator = random.Random(4)
    for _ in range(60):
        text = "".join(generator.choices("0123456789", k=generator.randint(1, 16)))
        width = generator.randint(4 * len(text) - 1, 64)
        batch = [draw(text, width, generator.uniform(0.3, 1), generator.random(), generator.randrange(99))]
        assert not wrong(Conversion(rounding), batch)


def test_a_card_that_cannot_be_drawn_is_refused():
    for arguments in (("", 8), ("1a", 9), ("12", 6), ("1", 65), ("1", 5, 0.1), ("1", 5, 1, 2)):
        with pytest.raises(ValueError, match="not"):
            draw(*arguments)


def test_the_conversion_under_test_reads_so_many_cards_and_no_more():
    def search(cards):
        return lambda reference, target, draw: target([draw("1", 4)] * cards)[0][0]

    assert searched(search(MOST), "int8", "", 0) == "1"
    with pytest.raises(RuntimeError, match=f"has read {MOST} cards"):
        searched(search(MOST + 1), "int8", "", 0)
