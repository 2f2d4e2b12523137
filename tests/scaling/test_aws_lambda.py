"""AWS's tools around the function: the template, the deployment without any profile, the harder handlers."""

import http.server
import importlib.util
import json
import os
import re
import subprocess
import threading

import pytest

from fsdl_deploy.cards import cards
from fsdl_deploy.picture import encode
from fsdl_deploy.running import stations
from fsdl_deploy.running.servers import Server
from fsdl_deploy.scaling.serverless import event, handler

STATION = stations.station("aws_lambda")
needs_station = pytest.mark.skipif(not STATION.built, reason=STATION.not_built())
TEMPLATE = STATION.folder / "template.yaml"
EVENT = event(encode(next(iter(cards(1, "clean", seed=3))).image))
MOTO = ["-m", "moto.server", "-H", "127.0.0.1", "-p", "{port}"]


@pytest.fixture
def steps():
    """The handlers for what functions find hard, imported anew."""
    spec = importlib.util.spec_from_file_location("steps", STATION.folder / "steps.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def company(tmp_path, monkeypatch):
    """A machine with a real profile, by files and by variables."""
    folder = tmp_path / ".aws"
    folder.mkdir()
    (folder / "config").write_text(
        "[profile company]\nregion = eu-central-1\nendpoint_url = http://127.0.0.2:1\n"
    )
    (folder / "credentials").write_text(
        "[company]\naws_access_key_id = REALKEY\naws_secret_access_key = real\n"
    )
    for name, value in {
        "HOME": str(tmp_path),
        "AWS_PROFILE": "company",
        "AWS_ACCESS_KEY_ID": "REALKEY",
        "AWS_SECRET_ACCESS_KEY": "real",
        "AWS_ENDPOINT_URL": "http://127.0.0.2:1",
    }.items():
        monkeypatch.setenv(name, value)


def deploy(url) -> subprocess.CompletedProcess:
    words = [STATION.python, STATION.folder / "deploy.py", url]
    return subprocess.run(words, capture_output=True, text=True, timeout=120)


@needs_station
def test_two_versions_a_tenth_of_the_calls_and_back(company):
    with Server([STATION.python, *MOTO], "/moto-api/", timeout=180) as moto:
        process = deploy(moto.url)
        assert process.returncode == 0, process.stderr
    report = json.loads(process.stdout)
    old, new = report["versions"]
    assert old != new
    assert report["canary"]["FunctionVersion"] == report["rolled_back"]["FunctionVersion"] == old
    assert report["canary"]["RoutingConfig"]["AdditionalVersionWeights"] == {new: 0.1}
    assert not report["rolled_back"]["RoutingConfig"].get("AdditionalVersionWeights")


@needs_station
def test_a_real_profile_is_never_read(company):
    """What is sent is seen by a server in the cloud's place."""
    sent = []

    class Refusing(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            length = int(self.headers["Content-Length"])
            sent.append(f"{self.headers} {self.rfile.read(length)!r}")
            self.send_response(403)
            self.end_headers()

        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Refusing) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        process = deploy(f"http://127.0.0.1:{server.server_port}")
        server.shutdown()
    assert process.returncode != 0 and sent
    assert all("Credential=nobody/" in text and "us-east-1" in text for text in sent)
    assert not any("REALKEY" in text for text in [*sent, process.stdout, process.stderr])


@needs_station
def test_another_address_than_this_machine_is_refused():
    process = deploy("https://lambda.us-east-1.amazonaws.com")
    assert process.returncode and "is not on this machine" in process.stderr


def lint(template, home) -> subprocess.CompletedProcess:
    env = {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "SAM_CLI_TELEMETRY": "0",
        "AWS_DEFAULT_REGION": "us-east-1",
    }
    sam = STATION.python.with_name("sam")
    words = [sam, "validate", "--lint", "--template", template]
    return subprocess.run(words, capture_output=True, text=True, timeout=300, env=env)


@needs_station
def test_the_template_is_valid_and_a_misspelt_one_is_not(tmp_path):
    process = lint(TEMPLATE, tmp_path)
    assert process.returncode == 0, process.stdout + process.stderr
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text(TEMPLATE.read_text().replace("Runtime:", "Runtme:"))
    process = lint(wrong, tmp_path)
    assert process.returncode and "Runtme" in process.stdout + process.stderr


@needs_station
@pytest.mark.thorough
@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("MemorySize: 1769", "MemorySize: much"),
        ("python3.11", "python2.7"),
        ("Value: !Ref Reader", "Value: !Ref Nothing"),
        ("Canary10Percent5Minutes", "[]"),
        ("Period: 60", "Period: soon"),
        ("ReaderUrl.FunctionUrl", "Reader.Nothing"),
    ],
)
def test_a_broken_template_is_refused(tmp_path, before, after):
    text = TEMPLATE.read_text()
    assert text.count(before) == 1
    (tmp_path / "wrong.yaml").write_text(text.replace(before, after))
    assert lint(tmp_path / "wrong.yaml", tmp_path).returncode


def test_the_template_starts_the_handler_that_the_package_has():
    from fsdl_deploy.scaling.package_size import HANDLER

    assert re.search(r"Handler: (\S+)", TEMPLATE.read_text())[1] == HANDLER


def test_three_functions_say_what_one_does(steps):
    passed_on = json.loads(json.dumps(steps.unpack(EVENT, None)))
    reading = steps.decide(json.loads(json.dumps(steps.read(passed_on, None))), None)
    assert reading == steps.all_steps(EVENT, None)
    assert reading["digits"] == json.loads(handler(EVENT)["body"])["digits"] and reading["accepted"] in (
        True,
        False,
    )


def test_memory_of_an_instance_is_its_own_and_a_shared_one_is_not(steps, tmp_path, monkeypatch):
    assert [steps.remembered(EVENT, None)["hit"] for _ in range(2)] == [False, True]
    steps._own.clear()  # as in another instance
    assert not steps.remembered(EVENT, None)["hit"]
    monkeypatch.setenv("SHARED", str(tmp_path / "readings.db"))
    steps._shared.cache_clear()
    answers = [steps.remembered(EVENT, None) for _ in range(2)]
    steps._shared().close()
    steps._shared.cache_clear()  # another instance
    answers.append(steps.remembered(EVENT, None))
    assert [answer.pop("hit") for answer in answers] == [False, True, True]
    assert answers[0] == answers[1] == answers[2] == json.loads(handler(EVENT)["body"])
    steps._shared().close()


def test_a_night_reads_as_many_cards_as_it_should(steps):
    assert steps.night({**EVENT, "cards": 40}, None) == {"cards": 40}
    assert steps.greedy({"megabytes": 2}, None) == {"bytes": 2**21}
