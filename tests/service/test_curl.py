"""curl as a client: what is printed, what is kept, and a machine without it."""

import shutil

import pytest

from fsdl_course.service import curl as curls
from fsdl_course.service.curl import WIDE, curl
from fsdl_deploy.running.ports import free_port


@pytest.mark.skipif(not shutil.which("curl"), reason="no curl on this machine")
def test_the_answer_is_kept_and_the_command_names_no_address_of_this_machine(server, capsys):
    answer = curl(server.url + "/healthz", names={server.url: "$URL"})
    printed = capsys.readouterr().out
    assert printed.startswith("curl --silent $URL/healthz\n") and answer.text in printed
    assert answer.status == 0 and "alive" in answer.text


@pytest.mark.skipif(not shutil.which("curl"), reason="no curl on this machine")
def test_an_address_where_nobody_listens_is_a_status_and_not_an_answer(capsys):
    answer = curl(f"http://127.0.0.1:{free_port()}/", names={})
    assert answer == (7, "") and "curl ended with status 7" in capsys.readouterr().out


def test_without_curl_the_command_is_still_to_be_seen_and_cut_where_it_is_long(monkeypatch, capsys):
    monkeypatch.setattr(curls.shutil, "which", lambda name: None)
    assert curl("-d", "x" * 200, names={}) is None
    line, sentence = capsys.readouterr().out.splitlines()
    assert line == f"curl --silent -d {'x' * 200}"[:WIDE] + "…" and "no curl" in sentence
