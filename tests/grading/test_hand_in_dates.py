"""When something was handed in: what platforms and this machine say, never what a student's own zip says."""

import io
import json
import os
import struct
import zipfile

import pytest
from grading_class import notebook

from fsdl_course.grading.hand_in_names import by_platform, marked_late, who
from fsdl_course.grading.submissions import collect

NOON = 1_760_000_400  # 2025-10-09 09:00:00 UTC


@pytest.fixture(scope="module")
def good():
    return json.dumps(notebook({})).encode()


def entry(name, universal=None, when=(2026, 10, 5, 12, 30, 10)):
    info = zipfile.ZipInfo(name, when)
    if universal is not None:
        info.extra = struct.pack("<HHH", 0x9999, 2, 0) + struct.pack("<HHBi", 0x5455, 5, 1, universal)
    return info


def zipped(*files):
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for info, text in files:
            archive.writestr(info, text)
    return content.getvalue()


def dates(place):
    return {each.person: (each.date.text, each.date.source) for each in collect(place)}


def test_a_zips_times_are_in_utc_where_it_says_so_and_else_without_a_zone(tmp_path, good):
    files = (entry("ann.ipynb", NOON), good), (entry("bob.ipynb"), good)
    (tmp_path / "class.zip").write_bytes(zipped(*files))
    assert dates(tmp_path / "class.zip") == {
        "ann": ("2025-10-09T09:00:00+00:00", "the zip's time"),
        "bob": ("2026-10-05T12:30:10", "the zip's time, which names no time zone"),
    }


def test_a_students_own_zip_says_nothing_of_dates(tmp_path, good):
    own = zipped((entry("lab00.ipynb", 1), good))
    moodle = "Cem Oz_12_assignsubmission_file_/work.zip"
    (tmp_path / "class.zip").write_bytes(zipped((entry(moodle, NOON), own)))
    assert dates(tmp_path / "class.zip")["Cem Oz 12"][0] == "2025-10-09T09:00:00+00:00"
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "ann.zip").write_bytes(own)
    os.utime(tmp_path / "in" / "ann.zip", (NOON, NOON))
    assert dates(tmp_path / "in") == {"ann": ("2025-10-09T09:00:00+00:00", "the file's time")}


def test_two_downloads_of_canvas_in_one_folder_are_attempts_of_the_same_people(tmp_path, good):
    for week, when in (("monday", NOON), ("friday", NOON + 4 * 86400)):
        (tmp_path / f"{week}.zip").write_bytes(
            zipped((entry("leeann_LATE_4711_881234_lab00.ipynb", when), good))
        )
    attempts = collect(tmp_path)
    assert [(each.student, each.person) for each in attempts] == [
        ("leeann 4711", "leeann 4711"),
        ("leeann 4711 (2)", "leeann 4711"),
    ]
    assert [each.date.seconds() for each in attempts] == [NOON + 4 * 86400, NOON]
    assert all(each.facts()["marked_late"] for each in attempts)


def test_nbgraders_stamp_goes_before_the_files_time(tmp_path, good):
    for folder in ("ann/lab00", "bob+lab00+2026-10-05 10.11.12 UTC+abc"):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "lab00.ipynb").write_bytes(good)
    (tmp_path / "ann" / "lab00" / "timestamp.txt").write_text("2026-10-05 12:00:00.123 UTC\n")
    assert dates(tmp_path) == {
        "ann": ("2026-10-05T12:00:00+00:00", "nbgrader's timestamp.txt"),
        "bob": ("2026-10-05T10:11:12+00:00", "nbgrader's name"),
    }


def test_a_damaged_time_is_no_date_and_no_error(tmp_path, good):
    content = bytearray(zipped((entry("ann.ipynb"), good)))
    for start in (content.index(b"PK\x03\x04") + 10, content.index(b"PK\x01\x02") + 12):
        content[start : start + 4] = b"\0\0\0\0"
    (tmp_path / "class.zip").write_bytes(content)
    assert dates(tmp_path / "class.zip") == {"ann": ("", "")}


@pytest.mark.parametrize(
    ("name", "student"),
    [
        ("week 2/leeann_4711_881234_lab02.ipynb", "leeann 4711"),
        ("week 2/Ann Lee_123_assignsubmission_file_/lab02.ipynb", "Ann Lee 123"),
        ("ann/my_01_02_notes.ipynb", "ann"),  # a student's own name for a file
        ("ann/lab02_10_20_x.ipynb", "ann"),
    ],
)
def test_a_platforms_names_are_known_below_folders(name, student):
    assert who(name)[0] == student and bool(by_platform(name)) == (student != "ann")
    assert not marked_late(name)
