"""Pairs of answers out of three logs: joined by request, given up after a while, the same when read anew."""

import json

import pytest

from fsdl_deploy.rollouts import evidence as module
from fsdl_deploy.rollouts.evidence import LogEvidence
from fsdl_deploy.rollouts.meters import Meter


class Logs:
    """A canary's log and two answer logs in a folder."""

    def __init__(self, folder):
        self.folder, self.stable, self.candidate = folder, folder / "stable", folder / "candidate"

    def request(self, number, arm="candidate", other="stable", customer="C1", status=200):
        line = {"id": str(number), "customer": customer, "camera": "app", "arm": arm, "other": other}
        self.add("requests.jsonl", line | {"status": status, "seconds": 0.1, "asked": "127.0.0.1:7"})

    def answer(self, version, number, digits="1", status=200):
        line = {"id": str(number), "status": status, "seconds": 0.01}
        if status == 200:
            line |= {"digits": [digits], "confidence": [0.9]}
        self.add(version, line)

    def add(self, name, line):
        with (self.folder / name).open("a") as file:
            file.write(json.dumps(line) + "\n")

    def evidence(self, **settings):
        settings = {"offset": 0} | settings
        return LogEvidence(self.folder, [self.stable], [self.candidate], **settings)


@pytest.fixture
def logs(tmp_path):
    return Logs(tmp_path)


def test_two_answers_to_one_request_are_a_pair_whatever_comes_first(logs):
    evidence = logs.evidence(meter=lambda customer: Meter(1, 0, 1.0) if customer == "C1" else None)
    logs.answer("stable", 1, "1")
    assert evidence.read() == []
    logs.request(1)
    assert evidence.read() == []
    logs.answer("candidate", 1, "2")
    (pair,) = evidence.read()
    assert (pair.candidate.digits, pair.stable.digits, pair.segment) == ("2", "1", "app")
    assert pair.meter == Meter(1, 0, 1.0) and pair.truth is None
    assert evidence.read() == []


def test_what_only_one_version_reads_is_no_pair(logs):
    logs.request(1, "stable", "nobody")
    logs.answer("stable", 1)
    assert logs.evidence().read() == []


def test_an_answer_that_stays_away_has_failed(logs, monkeypatch):
    monkeypatch.setattr(module, "PATIENCE", -1)
    logs.request(1, "candidate", "stable")
    logs.answer("stable", 1)
    logs.request(2, "stable", "candidate")
    logs.answer("candidate", 2)
    logs.request(3, "candidate", "nobody")
    logs.answer("candidate", 3)
    first, second, third = logs.evidence().read()
    assert first.candidate.failed and not first.stable.failed
    assert second.stable.failed and not second.candidate.failed
    assert third.stable is None and not third.candidate.failed


@pytest.mark.parametrize("status", [500, 503, 429])
def test_an_error_is_a_failure_and_a_refusal_of_a_picture_is_an_empty_reading(logs, status):
    for number, code in ((1, status), (2, 422)):
        logs.request(number)
        logs.answer("stable", number)
        logs.answer("candidate", number, status=code)
    failed, refused = logs.evidence().read()
    assert failed.candidate.failed and not refused.candidate.failed and refused.candidate.digits == ""


def test_read_anew_it_is_the_same(logs):
    for number in range(5):
        logs.request(number)
        logs.answer("stable", number, str(number))
        logs.answer("candidate", number, "1")
    first = logs.evidence()
    assert logs.evidence().read() == first.read() and first.read() == []


def test_by_itself_it_begins_at_the_end_of_the_proxys_log(logs):
    logs.request(1)
    evidence = logs.evidence(offset=None)
    for number in (1, 2):
        logs.answer("stable", number)
        logs.answer("candidate", number)
    logs.request(2)
    assert len(evidence.read()) == 1


def test_labels_come_late_and_find_their_pairs_once(logs, tmp_path):
    evidence = logs.evidence(labels=tmp_path / "labels")
    logs.request(1, customer="C1")
    for version in ("stable", "candidate"):
        logs.answer(version, 1, "7")
    assert len(evidence.read()) == 1 and evidence.labelled() == []
    logs.add("labels", {"customer": "C1", "truth": "8"})
    logs.add("labels", {"customer": "nobody's", "truth": "8"})
    (pair,) = evidence.labelled()
    assert pair.truth == "8" and pair.candidate.digits == "7" and evidence.labelled() == []


def test_a_line_that_a_killed_writer_left_is_passed_over(logs):
    logs.request(1)
    for version in ("stable", "candidate"):
        with (logs.folder / version).open("a") as file:
            file.write('{"id": "1", "sta\n7\n')
        logs.answer(version, 1)
    assert len(logs.evidence().read()) == 1


ANSWER = {"id": "1", "status": 200, "seconds": 0.01, "digits": ["12"], "confidence": [0.9]}


@pytest.mark.parametrize(
    "wrong",
    [{"digits": 12345}, {"digits": [12345]}, {"digits": None}, {"digits": {"12": 1}}, {"confidence": None},
     {"confidence": [True]}, {"confidence": ["0.9"]}, {"confidence": [0.9, float("nan")]}, {"confidence": []},
     {"digits": ["1", "2"], "confidence": [0.9, 1.5]}, {"confidence": [-1]}, {"status": "200"},
     {"status": None}, {"seconds": "quick"}, {"seconds": float("inf")}, {"seconds": None}],
)  # fmt: skip
def test_an_answer_that_is_not_as_the_service_writes_it_has_failed(logs, wrong):
    logs.request(1)
    logs.add("stable", ANSWER)
    logs.add("candidate", ANSWER | wrong)
    (pair,) = logs.evidence().read()
    assert pair.candidate.failed and not pair.stable.failed


def test_lines_that_cannot_be_used_are_left_out_and_it_is_told(logs, tmp_path):
    lines = []
    logs.request(1)
    for version in ("stable", "candidate"):
        for line in ({}, {"id": None}, {"id": ["1"]}, {"digits": ["7"]}, ANSWER):
            logs.add(version, line)
    for line in ({}, {"id": "2", "arm": "candidate", "other": "stable", "asked": None, "status": "-"},
                 {"route": None}, {"route": "candidate stable", "id": "3"}):  # fmt: skip
        logs.add("requests.jsonl", line)
    for line in ({}, {"customer": "C1"}, {"customer": ["C1"], "truth": "7"}, {"customer": "C1", "truth": 7}):
        logs.add("labels", line)
    (tmp_path / "candidate").open("a").write("[" * 100_000 + "\n" + "9" * 5000 + "\n")
    evidence = logs.evidence(labels=tmp_path / "labels", tell=lines.append)
    assert len(evidence.read()) == 1 and evidence.labelled() == []
    assert len(lines) == 2 and all(line.startswith("4 lines without a request's id") for line in lines)


def test_a_request_whose_headers_are_no_utf_8_is_a_pair_like_any(logs):
    line = json.dumps({"id": "1", "customer": "M\u00fcller", "camera": "app", "arm": "candidate",
                       "other": "stable", "status": "200", "seconds": "0.1", "asked": ":7"},
                      ensure_ascii=False)  # fmt: skip
    (logs.folder / "requests.jsonl").write_bytes(line.encode("latin-1") + b"\n")
    for version in ("stable", "candidate"):
        logs.answer(version, 1)
    assert len(logs.evidence().read()) == 1


def labelled(evidence):
    evidence.read()
    return [(pair.candidate.digits, pair.truth) for pair in evidence.labelled()]


def test_labels_are_the_same_after_a_restart_and_may_come_before_their_pair(logs, tmp_path):
    live, came = logs.evidence(labels=tmp_path / "labels"), []
    logs.add("labels", {"customer": "C1", "truth": "11"})
    came += labelled(live)
    for number, digits in ((1, "11"), (2, "22"), (3, "33")):
        logs.request(number, customer="C1")
        for version in ("stable", "candidate"):
            logs.answer(version, number, digits)
        came += labelled(live)
        if number == 2:
            logs.add("labels", {"customer": "C1", "truth": "22"})
    logs.add("labels", {"customer": "C1", "id": "3", "truth": "33"})
    came += labelled(live)
    assert came == [("11", "11"), ("22", "22"), ("33", "33")]
    assert labelled(logs.evidence(labels=tmp_path / "labels")) == came


def test_a_label_with_the_requests_id_finds_its_card_in_any_order(logs, tmp_path):
    for number in (1, 2):
        logs.request(number, customer="C1")
        for version in ("stable", "candidate"):
            logs.answer(version, number, str(number))
    for number in (2, 1):
        logs.add("labels", {"customer": "C1", "id": str(number), "truth": str(number)})
    assert labelled(logs.evidence(labels=tmp_path / "labels")) == [("2", "2"), ("1", "1")]


def test_labels_that_no_pair_wants_are_not_kept_for_ever(logs, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "KEPT", 10)
    for number in range(50):
        logs.add("labels", {"customer": f"C{number}", "truth": "7"})
    evidence = logs.evidence(labels=tmp_path / "labels")
    assert evidence.labelled() == [] and len(evidence._early) == 10


def test_a_log_that_was_begun_anew_is_read_from_its_begin(logs):
    evidence = logs.evidence()
    for number in range(9):
        logs.request(number, "stable", "nobody")
    assert evidence.read() == []
    (logs.folder / "requests.jsonl").unlink()
    logs.request(1)
    for version in ("stable", "candidate"):
        logs.answer(version, 1)
    assert len(evidence.read()) == 1


def test_answers_that_no_pair_wants_are_not_kept_for_ever(logs, monkeypatch):
    monkeypatch.setattr(module, "KEPT", 10)
    evidence = logs.evidence()
    for number in range(50):
        logs.answer("stable", number)
    evidence.read()
    assert len(evidence._answers["stable"]) == 10
