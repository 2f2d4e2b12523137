"""nginx and Envoy move customers between versions: the same customers, nobody lost, all of it noted."""

import http.client
import itertools
import socket
import time
from collections import Counter

import pytest
from polling import until

from fsdl_deploy.rollouts.canary import CanaryHandle, answered, canary
from fsdl_deploy.rollouts.split import CANDIDATE, arm
from fsdl_deploy.rollouts.stage import staged
from fsdl_deploy.scaling.asking import Asking
from fsdl_deploy.scaling.failures import under_load
from fsdl_deploy.scaling.policy import BalancerError

pytestmark = pytest.mark.station
NAMES = [f"C{number:07d}" for number in range(100)]


def lines_of(stage, count):
    """So many lines of the proxy's log; Envoy writes them a moment later."""
    return until(lambda: (lines := answered(stage.front.folder)[0])[count - 1 :] and lines)


class Kept:
    """One connection of a client to a stage; ``post(number)`` sends a card and returns status and version."""

    def __init__(self, stage):
        port = int(stage.front.url.rpartition(":")[2])
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=40)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.connection.close()

    def __call__(self, number):
        headers = {"X-Customer": f"C{number:07d}", "X-Truth": "1234"}
        self.connection.request("POST", "/read", b"card", headers)
        response = self.connection.getresponse()
        response.read()
        return response.status, response.headers["X-Model-Version"]

    def port(self):
        """This side's port, None once the other side has ended the connection."""
        return self.connection.sock and self.connection.sock.getsockname()[1]


def test_it_sends_each_customer_where_the_hash_says_and_keeps_them_as_the_share_grows(stage, ask):
    inside = set()
    for share in (0.05, 0.25, 1.0):
        stage.front.move(share=share)
        who = {name for name in NAMES if ask(name).version == "bad"}
        assert who == {name for name in NAMES if arm(name, share) == CANDIDATE}
        assert inside <= who
        inside = who
    stage.front.move(share=0.0)
    assert {ask(name).version for name in NAMES[:40]} == {"good"}


def test_by_request_a_customer_gets_both(stage, ask):
    stage.front.move(share=0.5, by="request")
    assert {ask("C0000001").version for _ in range(40)} == {"good", "bad"}


def test_whoever_names_no_customer_is_split_by_request(stage, ask):
    stage.front.move(share=0.5)
    assert {ask(" ").version for _ in range(40)} == {"good", "bad"}


def test_the_shadow_reads_and_nobody_gets_its_answers(stage, ask):
    stage.front.move(shadow=1.0)
    assert {ask(name).version for name in NAMES[:20]} == {"good"}
    until(lambda: stage.candidate_log.exists() and len(stage.candidate_log.read_text().splitlines()) == 20)
    assert {line["other"] for line in lines_of(stage, 20)} == {"candidate"}
    stage.front.move(shadow=0.0)
    ask(NAMES[0])
    assert lines_of(stage, 21)[-1]["other"] == "nobody"
    assert len(stage.candidate_log.read_text().splitlines()) == 20


def test_a_hung_candidate_in_the_shadow_holds_up_nobody_on_a_kept_connection(proxy, fake):
    with staged(proxy, "hung", "good", make=fake, shadow=1.0) as stage, Kept(stage) as post:
        begin = time.monotonic()
        assert [post(number) for number in range(4)] == [(200, "good")] * 4
        assert time.monotonic() - begin < 1.5
        stage.candidate.kill()


def test_without_a_copy_the_connection_stays(stage):
    with Kept(stage) as post:
        ports = {post(number) and post.port() for number in range(3)}
    assert len(ports) == 1 and None not in ports


def test_a_slow_upload_delays_no_rollback(nginx, fake):
    with staged("nginx", "bad", "good", make=fake, share=1.0) as stage:
        port = int(stage.front.url.rpartition(":")[2])
        with socket.create_connection(("127.0.0.1", port)) as slow:
            slow.sendall(b"POST /read HTTP/1.1\r\nHost: x\r\nContent-Length: 9999\r\n\r\nabc")
            with Kept(stage) as post:
                assert post(1) == (200, "bad")  # the upload, which came before, is under way
                begin = time.monotonic()
                stage.front.move(share=0.0)
                assert time.monotonic() - begin < 10
                assert post(2) == (200, "good")


def test_both_logs_have_the_request_under_one_id(stage, ask):
    stage.front.move(share=1.0)
    ask("C0000007", **{"X-Request-Id": "request-7"})
    (line,) = lines_of(stage, 1)
    assert line["id"] == "request-7" and line["customer"] == "C0000007" and line["camera"] == "app"
    assert (line["arm"], line["other"], line["status"]) == ("candidate", "stable", 200)
    assert line["port"] == stage.candidate.port and line["seconds"] < 30
    for log in (stage.stable_log, stage.candidate_log):
        until(lambda log=log: log.exists() and "request-7" in log.read_text())


def test_a_candidate_that_is_gone_is_replaced_by_the_stable_version(stage, ask):
    stage.front.move(share=1.0)
    stage.candidate.kill()
    assert Counter((answer.status, answer.version) for answer in map(ask, NAMES[:30])) == {(200, "good"): 30}
    assert {line["port"] for line in lines_of(stage, 30)} == {stage.stable.port}


def test_no_request_is_lost_while_shares_change_under_load(stage):
    def moves():
        for share, shadow in ((0.05, 1.0), (1.0, 0.0), (0.25, 0.5), (0.0, 0.0)):
            stage.front.move(share=share, shadow=shadow)

    trial = under_load(Asking(f"{stage.front.url}/read", b"card"), 20, moves)
    assert trial.lost == 0 < trial.load.requests


def test_a_handle_moves_what_another_process_has_started(stage, ask):
    handle = CanaryHandle.load(stage.front.folder)
    handle.move(share=1.0)
    assert ask("C0000001").version == "bad"
    assert CanaryHandle.load(stage.front.folder).policy.share == 1.0


@pytest.mark.parametrize("content", [None, "", "{}", '{"proxy": "apache"}'])
def test_a_folder_without_a_canary_says_so(tmp_path, content):
    if content is not None:
        (tmp_path / "canary.json").write_text(content)
    with pytest.raises(BalancerError, match=r"no canary has left its canary\.json"):
        CanaryHandle.load(tmp_path)


@pytest.mark.parametrize(
    ("settings", "problem"),
    [({"share": 1.5}, "share"), ({"shadow": -1}, "share"), ({"by": "age"}, "customer or by request"),
     ({"candidate": []}, "at least one replica"), ({"proxy": "caddy"}, "nginx or envoy")],
)  # fmt: skip
def test_what_cannot_be_is_refused_before_anything_starts(settings, problem):
    settings = {"proxy": "nginx", "candidate": [8002]} | settings
    with pytest.raises(ValueError, match=problem):
        canary(settings.pop("proxy"), [8001], settings.pop("candidate"), **settings)


def test_a_move_that_cannot_be_leaves_all_as_it_was(stage, ask):
    stage.front.move(share=1.0)
    with pytest.raises(ValueError, match="share"):
        stage.front.move(share=7)
    assert ask("C0000001").version == "bad"


def test_a_line_that_is_still_being_written_waits(tmp_path):
    line = (
        '{"id": "1", "arm": "stable", "other": "nobody", "status": "200", "seconds": "0.1", "asked": ":7"}\n'
    )
    (tmp_path / "requests.jsonl").write_text(line + line[:20])
    lines, offset = answered(tmp_path)
    assert len(lines) == 1 and lines[0]["port"] == 7
    (tmp_path / "requests.jsonl").write_text(line + line)
    assert [len(answered(tmp_path, at)[0]) for at in itertools.islice([offset, 2 * len(line)], 2)] == [1, 0]
