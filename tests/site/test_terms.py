"""Links to the glossary: the first use of a word in prose, and nothing else of a page."""

import pytest

from fsdl_course.glossary import Term
from fsdl_course.site.terms import TermLinks

REPLICA = Term("replica", "One of [[several]] copies.", "07_scaling")
BALANCER = Term("load balancer", "It shares.", "07_scaling", ("balancer",))
LOAD = Term("load", "What comes.", "07_scaling")
LINK = '[{}](<../GLOSSARY.md#replica> "One of several copies.")'


def linked(*texts: str, terms=(REPLICA, BALANCER, LOAD)) -> list[str]:
    links = TermLinks(terms, "../")
    return [links.linked(text) for text in texts]


def test_the_first_use_is_linked_with_its_meaning_and_later_ones_are_not():
    first, second = linked("# A replica\n\nTwo Replicas, one\nreplica.", "A replica again.")
    assert first == f"# A replica\n\nTwo {LINK.format('Replicas')}, one\nreplica."
    assert second == "A replica again."


def test_the_longest_name_wins_and_a_used_one_gives_nothing_to_a_shorter():
    first, second = linked("A load\nbalancer.", "Another load balancer; its load.")
    assert first.startswith("A [load\nbalancer](<../GLOSSARY.md#load-balancer>")
    assert second == 'Another load balancer; its [load](<../GLOSSARY.md#load> "What comes.").'


@pytest.mark.parametrize(
    "text",
    [
        "## The replica",
        "`replica`, ``a replica``",
        "```\nreplica\n```",
        "    replica",
        "[a replica](x.md) ![a replica](x.svg) [a replica][1]",
        "<details><summary>A replica?</summary>A replica.</details>",
        "<div>\nreplica\n</div>",
        'It reads <span title="seen_of(1)">one replica</span>, <code>replica</code>.',
        "> A replica says the lecture.",
        "| a replica |\n|---|\n| replica |",
        "https://replica.example/replica?replica",
        "**Minutes:** 40 · **Prerequisites:** a replica",
        "a replica-set, subreplica",
    ],
)
def test_what_is_no_prose_stays_as_it_is(text):
    assert linked(text) == [text]


def test_a_list_and_an_unfolded_answer_are_prose():
    (text,) = linked("- one\n- a replica\n")
    assert text == f"- one\n- a {LINK.format('replica')}\n"
    (text,) = linked("<details>\n<summary>Why?</summary>\n\nA replica.\n\n</details>")
    assert LINK.format("replica") in text


def test_quotation_marks_of_a_meaning_do_not_end_it():
    (text,) = linked("A word.", terms=[Term("word", 'Called "word" by some.', "00_tour")])
    assert text == "A [word](<../GLOSSARY.md#word> \"Called 'word' by some.\")."
