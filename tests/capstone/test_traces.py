"""Pieces of pictures are found wherever a service left them, and nothing of the grader's stops the search."""

import base64
import json
import os

import pytest
from played_replay import requests

from fsdl_course.capstone import traces
from fsdl_course.capstone.generator import CARD
from fsdl_deploy.picture import decode

CARDS = [request for request in requests().values() if request.kind == CARD]
MARKS = traces.marks(CARDS)
TEXT = json.loads(CARDS[0].body)["picture"]
PNG = base64.b64decode(TEXT)


@pytest.mark.parametrize(
    "left", [PNG, TEXT.encode(), PNG.hex().encode(), decode(PNG).tobytes(), b"x" * 999 + PNG]
)
def test_a_picture_is_found_in_every_form(tmp_path, left):
    (tmp_path / "cache").write_bytes(left)
    assert traces.kept(tmp_path, b"", MARKS) == ["cache"]
    assert traces.kept(tmp_path / "nothing", b"a line\n" + left, MARKS) == ["the log"]


def test_sums_and_answers_are_no_pictures(tmp_path):
    (tmp_path / "journal").write_text(json.dumps({"id": CARDS[0].id, "digits": "123", "sum": "ab" * 32}))
    assert traces.kept(tmp_path, b"started\n", MARKS) == []


def test_links_pipes_and_depth_do_not_stop_the_search(tmp_path, monkeypatch):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "endless").symlink_to("/dev/zero")
    (tmp_path / "circle").symlink_to(tmp_path)
    monkeypatch.chdir(tmp_path)
    for _ in range(25):
        os.mkdir("d" * 200)
        os.chdir("d" * 200)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "zz").write_bytes(PNG)
    assert traces.kept(tmp_path, b"", MARKS) == ["zz"]


def test_white_paper_is_no_mark():
    assert all(len(set(mark)) > 7 for mark in MARKS)
