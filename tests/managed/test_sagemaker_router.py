"""The data plane without a station: Amazon's own client asks it, and small servers stand for the models."""

import http.server
import json
import socket
import threading
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace

import httpx2
import pytest
import uvicorn
from botocore.exceptions import ClientError

from fsdl_deploy.managed import sagemaker_router
from fsdl_deploy.managed.place_limits import MEGABYTE
from fsdl_deploy.managed.prices import prices
from fsdl_deploy.managed.sagemaker_capture import Capture, answers
from fsdl_deploy.managed.sagemaker_clients import client
from fsdl_deploy.managed.sagemaker_router import MOST, MOST_SERVERLESS, SECONDS
from fsdl_deploy.managed.sagemaker_wishes import Variant, Wish
from fsdl_deploy.running import waiting

BLUE, GREEN, DARK = Variant("blue", "v2", 0.5), Variant("green", "v3-bad", 0.5), Variant("dark", "v1", 1.0)


class FakeModel:
    """A model's container: answers its name, or with ``status``; counts what it was asked."""

    def __init__(self, name: str):
        self.status, self.wait, self.asked, self.heads = 200, 0.0, 0, []
        model = self

        class Answering(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                self.rfile.read(int(self.headers["Content-Length"]))
                model.asked += 1
                model.heads.append((self.path, dict(self.headers)))
                time.sleep(model.wait)
                text = json.dumps({"model": name}).encode()
                with suppress(OSError):  # whoever asked may be gone
                    self.send_response(model.status)
                    self.send_header("Content-Type", "application/json")
                    self.send_header("Content-Length", str(len(text)))
                    self.end_headers()
                    self.wfile.write(text)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answering)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url, self.running = f"http://127.0.0.1:{self.server.server_address[1]}", True

    def close(self):
        self.server.shutdown()
        self.server.server_close()


@dataclass
class FakeInstance:
    server: FakeModel
    serverless: bool = False
    running: int = 0
    last: float = 0.0

    def started(self) -> str:
        return self.server.url


@dataclass
class FakeInstances:
    known: dict = field(default_factory=dict)
    serverless: bool = False

    def follow(self, wishes) -> None:
        for wish in wishes.values():
            for variant in wish.all:
                if variant.name not in self.known:
                    model = FakeModel(variant.name)
                    self.known[variant.name] = FakeInstance(model, variant.at_once > 0)

    def of(self, wish, variant) -> FakeInstance:
        return self.known[variant.name]

    def states(self, wish) -> dict:
        return {}

    def stop(self) -> None:
        for instance in self.known.values():
            instance.server.close()


class Hosting:
    """The data plane in a thread; ``wish`` is what the control plane says, or an exception that it raises."""

    def __init__(self, *variants: Variant, shadow=None, capture=None, seconds=60.0):
        self.wish = Wish("meter", "c1", variants, shadow)
        self.instances = FakeInstances()

        def ask(before):
            if isinstance(self.wish, Exception):
                raise self.wish
            return {"meter": self.wish}

        self.plane = sagemaker_router.DataPlane(ask, self.instances, capture, seconds)
        self.plane.chance.seed(1)

    @contextmanager
    def running(self):
        with socket.create_server(("127.0.0.1", 0)) as listener:
            self.url = f"http://127.0.0.1:{listener.getsockname()[1]}"
            server = uvicorn.Server(uvicorn.Config(self.plane.app(), log_level="error"))
            thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
            thread.start()
            waiting.until(lambda: server.started, 20, TimeoutError, "the router's start", pause=0.01)
            self.runtime = client("sagemaker-runtime", self.url)
            try:
                yield self
            finally:
                server.should_exit = True
                thread.join(20)

    def model(self, name) -> FakeModel:
        return self.instances.known[name].server

    def invoke(self, **asked):
        options = {"EndpointName": "meter", "Body": b"card", "ContentType": "image/png"} | asked
        return self.runtime.invoke_endpoint(**options)

    def refused(self, **asked) -> ClientError:
        with pytest.raises(ClientError) as caught:
            self.invoke(**asked)
        return caught.value

    def weigh(self, **weights) -> None:
        """Other weights; returns once the data plane has them."""
        variants = tuple(replace(known, weight=weights[known.name]) for known in self.wish.variants)
        self.wish = replace(self.wish, variants=variants)
        waiting.until(lambda: self.plane.wishes["meter"] == self.wish, 10, TimeoutError, "it", pause=0.02)


@pytest.fixture
def two():
    with Hosting(BLUE, GREEN).running() as hosting:
        yield hosting


def test_the_answer_is_the_models_and_says_whose(two):
    answer = two.invoke(TargetVariant="green", Accept="application/json", CustomAttributes="night")
    assert json.loads(answer["Body"].read()) == {"model": "green"}
    assert answer["InvokedProductionVariant"] == "green" and answer["ContentType"] == "application/json"
    path, head = two.model("green").heads[0]
    head = {name.lower(): value for name, value in head.items()}
    assert path == "/invocations" and head["content-type"] == "image/png"
    assert head["accept"] == "application/json" and head["x-amzn-sagemaker-custom-attributes"] == "night"
    assert "authorization" not in head  # the signature is AWS's business, not the model's
    assert two.model("blue").asked == 0


def test_the_weights_split_and_a_change_of_them_is_obeyed(two):
    by = [two.invoke()["InvokedProductionVariant"] for _ in range(60)]
    assert 12 < by.count("green") < 48  # seeded; half of 60
    two.weigh(blue=1.0, green=0.0)
    assert {two.invoke()["InvokedProductionVariant"] for _ in range(20)} == {"blue"}
    assert two.invoke(TargetVariant="green")["InvokedProductionVariant"] == "green"
    two.weigh(blue=0.0, green=0.0)
    assert type(two.refused()).__name__ == "ServiceUnavailable"


def test_an_unknown_endpoint_and_variant_are_the_callers_fault(two):
    for asked, words in (
        ({"EndpointName": "gone"}, "Endpoint gone of account 123456789012 not found"),
        ({"TargetVariant": "red"}, "Variant red was not found"),
        ({"Body": b"0" * (MOST + 1)}, "26,214,400 bytes"),
    ):
        error = two.refused(**asked)
        assert isinstance(error, two.runtime.exceptions.ValidationError) and words in str(error)
        assert error.response["ResponseMetadata"]["HTTPStatusCode"] == 400


@pytest.mark.parametrize("name", ["content-type", "accept", "x-amzn-sagemaker-custom-attributes"])
def test_a_header_beyond_ascii_is_the_callers_fault_and_reaches_no_model(two, name):
    def ask(value):
        heads = [("x-amzn-sagemaker-target-variant", "blue"), (name, value.encode("latin-1"))]
        url = f"{two.url}/endpoints/meter/invocations"
        return httpx2.post(url, content=b"card", headers=heads, trust_env=False, timeout=20)

    refused = ask("image/png; é")
    assert refused.status_code == 400 and name in refused.json()["Message"]
    assert refused.headers["x-amzn-errortype"] == "ValidationError"
    assert two.model("blue").asked == 0 and ask("image/png").status_code == 200


@pytest.mark.parametrize("status, whose", [(422, "client"), (500, "server"), (302, "server")])
def test_what_the_model_refuses_is_a_model_error_with_its_own_words(two, status, whose):
    two.model("blue").status = status
    error = two.refused(TargetVariant="blue")
    assert isinstance(error, two.runtime.exceptions.ModelError)
    assert error.response["ResponseMetadata"]["HTTPStatusCode"] == 424
    assert error.response["OriginalStatusCode"] == status
    assert json.loads(error.response["OriginalMessage"]) == {"model": "blue"}
    assert f"Received {whose} error ({status})" in str(error)


def test_a_model_that_is_too_slow_or_gone():
    with Hosting(BLUE, seconds=0.3).running() as hosting:
        hosting.model("blue").wait = 1.0
        error = hosting.refused()
        assert isinstance(error, hosting.runtime.exceptions.ModelError) and "timed out" in str(error)
        hosting.model("blue").running = False
        error = hosting.refused()
        assert isinstance(error, hosting.runtime.exceptions.ServiceUnavailable)


def test_the_shadow_reads_all_answers_nothing_and_harms_nobody(tmp_path):
    with Hosting(BLUE, shadow=DARK, capture=Capture(tmp_path)).running() as hosting:
        by = {hosting.invoke(InferenceId=f"card-{n}")["InvokedProductionVariant"] for n in range(10)}
        assert by == {"blue"}
        waiting.until(lambda: hosting.model("dark").asked == 10, 10, TimeoutError, "the shadow", pause=0.02)
        hosting.model("dark").status = 500
        hosting.model("dark").wait = 0.5
        begin = time.perf_counter()
        assert hosting.invoke()["InvokedProductionVariant"] == "blue"
        assert time.perf_counter() - begin < 0.4  # nobody waits for it
        assert type(hosting.refused(TargetVariant="dark")).__name__ == "ValidationError"
    seen, unseen = (answers(tmp_path, "meter", name) for name in ("blue", "dark"))
    assert seen.keys() == unseen.keys() == {f"card-{n}" for n in range(10)}
    assert json.loads(unseen["card-3"]) == {"model": "dark"}


def test_a_shadow_with_a_smaller_weight_reads_its_share_only():
    with Hosting(BLUE, shadow=replace(DARK, weight=0.1)).running() as hosting:  # a fifth of blue's half
        for _ in range(60):
            hosting.invoke()
        waiting.until(lambda: not hosting.plane.mirrors, 10, TimeoutError, "the shadow", pause=0.02)
        assert 3 <= hosting.model("dark").asked <= 25


def test_serverless_refuses_what_comes_beyond_its_bound():
    with Hosting(Variant("only", "v2", 1.0, at_once=2)).running() as hosting:
        hosting.model("only").wait = 0.5
        codes = []

        def ask():
            try:
                hosting.invoke()
                codes.append("")
            except ClientError as error:
                codes.append(error.response["Error"]["Code"])

        askers = [threading.Thread(target=ask) for _ in range(4)]
        for asker in askers:
            asker.start()
        for asker in askers:
            asker.join()
        assert sorted(codes) == ["", "", "ThrottlingException", "ThrottlingException"]
        assert type(hosting.refused(Body=b"0" * (4 * 2**20 + 1))).__name__ == "ValidationError"


def test_a_control_plane_that_is_away_changes_nothing(two):
    two.wish = OSError("no connection")
    state = f"{two.url}/endpoints/meter"
    waiting.until(
        lambda: "no connection" in httpx2.get(state, trust_env=False).json()["plane"], 10, TimeoutError, "it"
    )
    assert two.invoke(TargetVariant="blue")["InvokedProductionVariant"] == "blue"


def test_a_capture_that_cannot_be_written_takes_nobodys_answer_away(tmp_path):
    file = tmp_path / "a file"
    file.write_text("no folder")
    with Hosting(BLUE, capture=Capture(file)).running() as hosting:
        assert hosting.invoke()["InvokedProductionVariant"] == "blue"
        state = httpx2.get(f"{hosting.url}/endpoints/meter", trust_env=False).json()
        assert "Error" in state["capture"] and "a file" in state["capture"]
        hosting.plane.capture.folder = tmp_path / "folder"
        hosting.invoke()
        assert httpx2.get(f"{hosting.url}/endpoints/meter", trust_env=False).json()["capture"] == ""


def test_an_endpoint_without_variants_has_failed_says_why_and_answers_nobody():
    with Hosting(BLUE).running() as hosting:
        hosting.wish = Wish("meter", "", (), problem="the tag is wrong")
        httpx2.post(f"{hosting.url}/look", trust_env=False, timeout=20).raise_for_status()
        state = httpx2.get(f"{hosting.url}/endpoints/meter", trust_env=False).json()
        assert (state["status"], state["problem"]) == ("Failed", "the tag is wrong")
        assert type(hosting.refused()).__name__ == "ServiceUnavailable"


def test_whoever_changed_something_need_not_wait_for_the_next_look(monkeypatch):
    monkeypatch.setattr(sagemaker_router, "EVERY", 3600)
    with Hosting(BLUE, GREEN).running() as hosting:
        hosting.wish = replace(hosting.wish, variants=(replace(BLUE, weight=1.0), replace(GREEN, weight=0.0)))
        httpx2.post(f"{hosting.url}/look", trust_env=False, timeout=20).raise_for_status()
        assert {hosting.invoke()["InvokedProductionVariant"] for _ in range(20)} == {"blue"}


def test_the_routers_limits_are_those_of_the_table():
    known = prices()
    limits = [known[name].value * MEGABYTE for name in ("endpoint_payload", "endpoint_serverless_payload")]
    assert limits == [MOST, MOST_SERVERLESS]
    assert known["endpoint_most_seconds"].value == known["endpoint_serverless_most_seconds"].value == SECONDS
