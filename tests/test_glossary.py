"""The glossary: words that the lessons use, none of which leans on a word that nobody explains."""

import pytest

from fsdl_course import glossary
from fsdl_course.glossary import GlossaryError, Term
from fsdl_deploy.paths import ROOT

LESSON = """# %% [markdown]
# # Batch
#
# ## You will learn
#
# - what a replica is
#
# ## Two of them
#
# Replicas share the load. `shard` is code.
#
# ```mermaid
# flowchart LR
#     a["sharded"] --> b["a shard"]
# ```

# %%
drain = 1  # drain
"""
WORDS = {"term": "replica", "meaning": "One of several copies.", "lesson": "02_batch"}


def course(folder, *entries: dict):
    """A course with these words and one lesson."""
    (folder / "notebooks" / "source").mkdir(parents=True)
    (folder / "notebooks/source/02_batch.py").write_text(LESSON)
    texts = ["[[term]]\n" + "".join(f"{name} = {value!r}\n" for name, value in e.items()) for e in entries]
    (folder / glossary.FILE).write_text("\n".join(texts))
    return folder


def test_the_courses_words_are_used_where_they_say_and_none_is_undefined():
    terms = glossary.read(ROOT)
    assert list(glossary.problems(terms, ROOT)) == []
    assert len(terms) >= 80


def test_an_entry_links_the_words_it_leans_on_and_the_section_that_uses_it(tmp_path):
    other = {"term": "shared load", "meaning": "What [[replicas]] carry.", "lesson": "02_batch"}
    root = course(tmp_path, WORDS, other | {"aliases": ["the load"]})
    text = glossary.page(root)
    assert (
        "### replica\n\nOne of several copies. ([02: Two of them](<notebooks/02_batch.ipynb#Two-of-them>))"
        in text
    )
    assert "What [replicas](#replica) carry. Also: the load." in text
    assert text.index("## R") < text.index("## S")


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        ([WORDS | {"meaning": "A [[shard]] of them."}], "'shard', which has no entry"),
        ([WORDS | {"meaning": "One. And another."}], "one sentence"),
        ([WORDS | {"meaning": "One of several"}], "one sentence"),
        ([WORDS | {"lesson": "03_service"}], "no lesson 03_service"),
        ([WORDS | {"not_in": ["07_scaling"]}], "no lesson 07_scaling"),
        ([WORDS | {"term": "shard"}], "'shard' does not stand in the prose of 02_batch"),  # code and diagrams
        ([WORDS | {"term": "drain"}], "'drain' does not stand in the prose"),
        ([WORDS | {"term": "the load"}, WORDS], "alphabetical"),
        ([WORDS, WORDS], "alphabetical"),
        (
            [WORDS, WORDS | {"term": "the load", "aliases": ["Replica"]}],
            "'Replica' is a name of 'replica' and",
        ),
        ([{"term": "replica", "lesson": "02_batch"}], "replica lacks `meaning`"),
        ([WORDS, WORDS | {"term": ""}], "the entry after 'replica' lacks `term`"),
        ([WORDS | {"alias": "copy"}], "unknown field 'alias'"),
    ],
)
def test_a_glossary_that_is_wrong_is_refused_by_name(tmp_path, entries, message):
    with pytest.raises(GlossaryError, match=message.replace("(", r"\(")):
        glossary.page(course(tmp_path, *entries))


def test_a_word_is_found_whole_in_both_numbers_and_across_lines():
    balancer = Term("load balancer", "One.", "07_scaling", ("balancer",))
    for text in ("a load\nbalancer.", "Load balancers", "two balancers"):
        assert balancer.pattern.search(text)
    for text in ("balancer-like", "unbalancer", "the load"):
        assert not balancer.pattern.search(text)
    assert Term("ONNX", "One.", "00_tour").pattern.search("an ONNX file")
    assert not Term("GIL", "One.", "00_tour").pattern.search("a gil")
