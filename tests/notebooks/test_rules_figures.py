"""Bare figures in prose are refused; those of a record, settings, quotations and others' figures pass."""

import pytest

from fsdl_course.notebooks import rules_figures


@pytest.mark.parametrize(
    "text, figure",
    [
        ("`v2` reads 94.4 % of the cards right.", "94.4 %"),
        ("It reads 94% of them.", "94%"),
        ("Accuracy fell by 3 percent.", "3 percent"),
        ("The climb is 340 × in all.", "340 ×"),
        ("In int8 it is 0.98 times as fast.", "0.98 times as"),
        ("It is 3 times faster.", "3 times faster"),
        ("The ratio lies near 1.4.", "1.4"),
        ("(p = 0.02, so hardly chance)", "0.02"),
        ("It read 94 of 100 cards.", "94 of 100"),
        ("It read 799 cards of the same 1,000.", "799 cards of the same 1,000"),
        ("The student reads 62 *fewer* when taught.", "62 *fewer"),
        ("18 cards were misread.", "18 cards were misread"),
        ("Rounding broke 20 cards.", "broke 20"),
        ("A factor of 15 comes from threads.", "factor of 15"),
        ("The file has 350 KiB.", "350 KiB"),
        ("A reading takes 31 ms.", "31 ms"),
        ("It starts in 4 seconds.", "4 seconds"),
        ("- **A bullet**, 12 % of all", "12 %"),
        ("| teacher | 95.9% |", "95.9%"),
        ("<details><summary>Answer</summary>\nIt is 64 %.\n</details>", "64 %"),
        ("*94.4 %* of the cards", "94.4 %"),  # emphasis is no quotation
        ('a "94.4 %"', "94.4 %"),
        ("[98 %](05_optimization.ipynb) of the cards", "98 %"),  # our own notebook is no source
        ('<span title="ours">94.4 %</span>', "94.4 %"),
        ("Not of the record: `0.9`, then 2.5 ms.", "2.5 ms"),
    ],
)
def test_a_bare_figure_is_refused_and_named(text, figure):
    (sentence,) = rules_figures.bare(text)
    assert f"the figure {figure!r} stands bare in prose" in sentence
    assert "as its key, {{right(v2, typical):.1%}}" in sentence


@pytest.mark.parametrize(
    "text",
    [
        '<span title="right(v2, typical):.1%">94.4 %</span> of the cards',
        "A confidence above `0.9` passes, a patience of `20 ms`, a limit of ``100 MB``.",
        "<code>math.ceil(0.5)</code>",
        "```\n94.4 % of 100\n```",
        "Roblox says *30 × cheaper on CPUs*.",
        'The blog says "it is 40 % faster here".',
        "DistilBERT is [60 % faster](https://arxiv.org/abs/1910.01108).",
        "https://example.org/1.5/20%25",
        "With 128 cards for the ranges, 8 callers and 2 workers; batches of 64.",
        "MNIST has 5,000 digits in 10 classes, drawn 3 times.",
        "version 1.26, versions 2.0 and CUDA 12, release 0.1.0",
        "a 404, a 200 of the 4xx kind; step 7, exercise 3; 8 × 1 and 4 × 2 threads",
        "**Minutes:** 20 · **Prerequisites:** [The tour](00_tour.ipynb) · **Truth:** runs",
        "on 22 November 2026, from 1 to 16 callers",
        "most cards, nearly all, a few in a thousand",
        "| [Lab 05](../labs/lab05/lab05.ipynb) | 70 |",
    ],
)
def test_what_is_no_measured_figure_passes(text):
    assert list(rules_figures.bare(text)) == []


def test_each_figure_of_a_cell_is_named_once():
    sentences = list(rules_figures.bare("It reads 94.4 % right, in 2.5 ms, 340 × as many."))
    assert len(sentences) == 3


def test_a_key_that_nobody_filled_in_is_refused():
    (sentence,) = rules_figures.bare("It reads {{right(v2, typical):.1%}} right.")
    assert "is a key that is not filled in" in sentence
