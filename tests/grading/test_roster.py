"""Whose hand-in it is: by names as people and platforms write them, by ID, and by nobody's guess."""

import pytest

from fsdl_course.grading import roster

LIST = """name;ID;e-mail;section;also
Ann Lee;4711;a.lee@x.example;A;annie;
"Müller, Zoë";4712;zoe@x.example;B;
Ann Lee;4713;ann2@x.example;B;
Bob Ray;4714;bob@x.example;A;"bobby; the-bob"
"""


@pytest.fixture
def enrolled(tmp_path):
    (tmp_path / "roster.csv").write_text(LIST.replace("annie;\n", "annie\n"), encoding="utf-16")
    return roster.read(tmp_path / "roster.csv")


@pytest.mark.parametrize(
    ("person", "key"),
    [
        ("Zoë Müller", "4712"),
        ("Zoe\u0308 Müller", "4712"),  # as a Mac writes it
        ("zoë_müller", "4712"),
        ("müllerzoë 4712", "4712"),  # Canvas
        ("Zoë Müller 1234567", "4712"),  # Moodle: a number of the assignment
        ("leeann 4713", "4713"),  # two of a name: the ID decides
        ("Ann Lee", None),  # one of two
        ("Ann Lee 99", None),
        ("annie", "4711"),
        ("the-bob", "4714"),
        ("bob", "4714"),  # the address before its @
        ("4714", "4714"),
        ("Bob Ray 4712", None),  # a name and an ID of two students
        ("somebody", None),
    ],
)
def test_who_handed_in(enrolled, person, key):
    student = enrolled.match(person)
    assert (student and student.key) == key


def test_moodles_list_and_worksheet_are_class_lists(tmp_path):
    path = tmp_path / "participants.csv"
    path.write_text(
        '"First name","Last name","Email address",Groups\nAnn,Lee,a@x.example,A\n', encoding="utf-8-sig"
    )
    (student,) = roster.read(path).students
    assert (student.name, student.key, student.section) == ("Ann Lee", "a@x.example", "A")
    path.write_text("Identifier,Full name,Grade\nParticipant 77,Ann Lee,\nParticipant 78,Ann Lee,\n")
    assert roster.read(path).match("Ann Lee 78").key == "Participant 78"
