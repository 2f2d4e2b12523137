"""No sentence of the lecture is left out of the claims, and none is judged in other words than its own."""

import tomllib

from fsdl_course import claims, lecture_sentences
from fsdl_course.claims import Claim
from fsdl_deploy.paths import ROOT

LECTURE = ROOT.parent / "shared" / "lecture"  # beside some clones; the course does without it


def listed(folder, *sentences):
    path = folder / lecture_sentences.FILE
    path.parent.mkdir(parents=True)
    lines = (
        f'[[sentence]]\nnumber = {number}\nsource = "notes"\nquote = "{quote}"' for number, quote in sentences
    )
    path.write_text("\n".join(lines), encoding="utf-8")
    return folder


def test_a_sentence_without_a_row_or_in_other_words_is_named(tmp_path):
    root = listed(tmp_path, (1, "Deploy early"), (2, "Scale"), (3, "Pruning"))
    rows = [Claim(1, "Deploy early", "notes", "00"), Claim(2, "Scale up", "notes", "07")]
    assert list(lecture_sentences.unplaced(reversed(rows), root)) == [
        "claim 2: its row has other words than notebooks/lecture.toml, which says “Scale”",
        "claim 3 is in no row: add one for “Pruning” to notebooks/claims.toml",
    ]


def test_every_sentence_of_the_lecture_has_a_row():
    assert set(range(1, 162)) <= lecture_sentences.sentences(ROOT).keys()
    assert not list(lecture_sentences.unplaced(claims.read(), ROOT))


if LECTURE.is_dir():

    def test_every_listed_sentence_stands_in_the_lecture():
        entries = tomllib.loads((ROOT / lecture_sentences.FILE).read_text(encoding="utf-8"))["sentence"]
        as_claims = [Claim(**entry, lesson="00") for entry in entries]
        assert not list(claims.misquoted(as_claims, LECTURE))
