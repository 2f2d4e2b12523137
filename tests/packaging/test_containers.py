"""The image and the compose file: by reading them, and with an engine where one answers."""

import re
import sys
import time
import uuid
from types import SimpleNamespace

import docker
import httpx2
import pytest
import yaml
from fastapi.testclient import TestClient

from fsdl_course.setup import images
from fsdl_deploy import OnnxReader, RemoteReader
from fsdl_deploy.batch.store import Store
from fsdl_deploy.cards import cards
from fsdl_deploy.customers import Customers
from fsdl_deploy.measuring.machine import locked_versions
from fsdl_deploy.packaging.base_images import STAND_INS, pinned, usable
from fsdl_deploy.packaging.build_context import DOCKER
from fsdl_deploy.packaging.compose import Compose
from fsdl_deploy.packaging.containers import SAFELY, Container
from fsdl_deploy.packaging.engine import NO_ENGINE, ContainerError, engine_address, find_engine
from fsdl_deploy.packaging.layers import build
from fsdl_deploy.paths import ROOT
from fsdl_deploy.picture import encode

sys.path.insert(0, str(DOCKER))
import pipeline

pytestmark = pytest.mark.timeout(900)
MONTH = "2026-10"


def test_without_an_engine_one_sentence_and_none(monkeypatch):
    monkeypatch.setenv("DOCKER_HOST", "unix:///nowhere/docker.sock")
    messages = []
    assert find_engine(messages.append) is None and messages == [NO_ENGINE]
    assert images.prepare(messages.append) is None


def test_an_engine_elsewhere_is_asked_where_docker_host_says():
    assert engine_address({"DOCKER_HOST": "tcp://192.0.2.1:2375"}) == "tcp://192.0.2.1:2375"


def test_the_image_has_the_versions_of_the_core():
    core = locked_versions(ROOT / "requirements.lock")
    image = locked_versions(DOCKER / "requirements.lock")
    assert {"numpy", "onnxruntime", "pillow", "fastapi"} <= set(image)
    assert {name: core[name] for name in image if name in core} == {n: image[n] for n in image if n in core}


def test_nobody_outside_reaches_the_database_or_the_queue():
    settings = yaml.safe_load((DOCKER / "compose.yaml").read_text())
    assert set(settings["services"]) == {"web", "worker", "database", "queue"}
    for name, service in settings["services"].items():
        assert service["healthcheck"]["test"], name
        if name != "web":
            assert "ports" not in service and service["networks"] == ["back"]
    assert settings["networks"]["back"]["internal"]
    assert settings["services"]["web"]["ports"] == ["127.0.0.1::8000"]


class Hub:
    """What ``usable`` asks an engine: an image by its name."""

    def __init__(self, **labels):
        self.images, self.labels = self, labels

    def get(self, name: str):
        if name not in self.labels:
            raise docker.errors.ImageNotFound(name)
        return SimpleNamespace(labels=self.labels[name])


@pytest.mark.parametrize(("role", "stand_in"), STAND_INS.items())
def test_the_hubs_images_are_pinned_and_only_a_labelled_stand_in_takes_the_place_of_one(role, stand_in):
    name = pinned()[role]
    assert re.fullmatch(r"[a-z]+:[\w.-]+@sha256:[0-9a-f]{64}", name)
    assert name.startswith(stand_in)
    assert usable(Hub(), role) == name
    assert usable(Hub(**{stand_in: {}}), role) == name  # the hub's: who knows which one
    assert usable(Hub(**{stand_in: {"stand-in": "true"}}), role) == stand_in


def test_every_image_that_is_not_built_here_is_pinned():
    froms = re.findall(r"^FROM (\S+)", (DOCKER / "Dockerfile").read_text(), re.M)
    assert froms == ["${BASE}"] * 2
    services = yaml.safe_load((DOCKER / "compose.yaml").read_text())["services"].values()
    named = {service["image"] for service in services if "build" not in service}
    assert {name.rpartition(":-")[2].rstrip("}") for name in named} == {
        pinned()["database"],
        pinned()["queue"],
    }


def test_the_queue_answers_only_for_what_is_on_disk():
    command = yaml.safe_load((DOCKER / "compose.yaml").read_text())["services"]["queue"]["command"]
    options = dict(zip(command[1::2], command[2::2], strict=True))
    assert (options["--appendonly"], options["--appendfsync"]) == ("yes", "always")
    assert options["--dir"] == "/data"  # the volume


class Queue:
    """What the web server uses of the job queue."""

    def __init__(self):
        self.jobs = []

    @property
    def count(self) -> int:
        return len(self.jobs)

    def enqueue(self, job, *words, **_) -> None:
        self.jobs.append((job, *words))


@pytest.fixture
def place(tmp_path, monkeypatch):
    """Web server, queue and inbox, and a card of customer C0000007."""
    store = Store(tmp_path / "readings.db")
    monkeypatch.setenv("FSDL_STORE", str(tmp_path / "readings.db"))
    monkeypatch.setenv("FSDL_INBOX", str(tmp_path / "inbox"))
    pipeline.tools.cache_clear()
    queue = Queue()
    with TestClient(pipeline.web(store, queue, str(tmp_path / "inbox"))) as client:
        yield client, queue, encode(Customers(10).card(7, MONTH).image)
    pipeline.tools.cache_clear()


def test_a_card_is_taken_read_once_and_answered(place):
    client, queue, picture = place
    assert client.get(f"/readings/{MONTH}/C0000007").status_code == 404
    assert client.put(f"/cards/{MONTH}/C0000007", content=picture).status_code == 202
    assert client.put(f"/cards/{MONTH}/C0000007", content=picture).status_code == 202  # the same once more
    assert [job[0] for job in queue.jobs] == 2 * ["pipeline.read_card"]
    for _, *words in queue.jobs:
        pipeline.read_card(*words)
    answer = client.get(f"/readings/{MONTH}/C0000007").json()
    assert answer["digits"] == OnnxReader().read([Customers(10).card(7, MONTH).image])[0].digits
    _, store = pipeline.tools()
    assert store.counts(MONTH, "v2") == (1, 0)
    assert [run["read"] for run in store.runs(MONTH)] in ([1, 0], [0, 1])


@pytest.mark.parametrize(
    ("path", "content", "status", "field"),
    [
        (f"/cards/{MONTH}/C0000008", b"no picture", 422, "picture"),
        (f"/cards/{MONTH}/C0000008", b"", 422, "picture"),
        (f"/cards/{MONTH}/C0000008", b"x" * (9 * 2**20), 413, "picture"),
        (f"/cards/{MONTH}/..%2f..%2fevil", None, 404, None),
        (f"/cards/{MONTH}/C1", None, 422, "customer"),
        ("/cards/2026-13/C0000008", None, 422, "month"),
    ],
)
def test_what_is_no_card_is_refused_and_leaves_nothing(place, tmp_path, path, content, status, field):
    client, queue, picture = place
    answer = client.put(path, content=picture if content is None else content)
    assert answer.status_code == status
    assert field is None or answer.json()["error"]["field"] == field
    assert not queue.jobs and not list((tmp_path).rglob("*.card"))


def test_another_card_of_the_month_and_a_full_queue_are_refused(place, tmp_path, monkeypatch):
    client, _, picture = place
    client.put(f"/cards/{MONTH}/C0000007", content=picture)
    other = encode(Customers(10).card(8, MONTH).image)
    assert client.put(f"/cards/{MONTH}/C0000007", content=other).status_code == 409
    monkeypatch.setattr(pipeline, "MAX_WAITING", 1)
    answer = client.put(f"/cards/{MONTH}/C0000008", content=other)
    assert answer.status_code == 429 and answer.headers["Retry-After"]
    assert [file.name for file in (tmp_path / "inbox").rglob("*") if file.is_file()] == ["C0000007.card"]


@pytest.fixture(scope="module")
def image(engine):
    name = "meter-reader:tests"
    build(engine, name)
    yield name
    engine.images.remove(name, force=True)


def test_the_image_answers_as_the_notebook_can_do_nothing_else_and_ends_in_order(engine, image):
    assert engine.images.get(image).attrs["Size"] < 450e6  # 385 MB on amd64
    deck = [card.image for card in cards(1000, seed=21)]
    with Container(engine, image, **SAFELY) as service:
        reader = RemoteReader(service.url)
        here = OnnxReader()
        for start in range(0, len(deck), 20):  # the last bit of a confidence depends on the cards beside it
            assert reader.read(deck[start : start + 20]) == here.read(deck[start : start + 20])
        for words in ("touch /app/x", "touch /opt/reader/x", "chown 0 /tmp"):
            assert service.container.exec_run(["sh", "-c", words]).exit_code != 0
        assert service.container.exec_run("id -u").output.strip() == b"10001"
        service.container.stop(timeout=60)
        service.container.reload()
        assert service.container.attrs["State"]["ExitCode"] == 0


def test_a_container_that_does_not_get_ready_tells_why(engine, image):
    # Its own name: others may run containers of the same image meanwhile.
    name = f"never-ready-{uuid.uuid4().hex}"
    with pytest.raises(ContainerError, match="there is no model file v9"):
        Container(engine, image, name=name, command=["serve", "--version", "v9"]).start()
    assert engine.containers.list(all=True, filters={"name": name}) == []


def test_a_build_that_fails_tells_why(engine, tmp_path):
    (tmp_path / "Dockerfile").write_text("ARG BASE\nFROM ${BASE}\nRUN echo so far && false\n")
    with pytest.raises(ContainerError, match="so far"):
        build(engine, "broken:tests", tmp_path, "Dockerfile")


def test_the_four_containers_lose_no_card(engine, image):
    """Neither when the worker is killed, nor when the queue and the database are."""
    compose = Compose(engine, DOCKER / "compose.yaml", READER_IMAGE=image)
    if not compose.possible(lambda _: None):
        pytest.skip("no docker compose")
    customers = Customers(30, seed=4)
    with compose, httpx2.Client(base_url=compose.url("web"), timeout=60) as client:

        def send(numbers):
            for i in numbers:
                answer = client.put(
                    f"/cards/{MONTH}/C{i:07d}", content=encode(customers.card(i, MONTH).image)
                )
                assert answer.status_code == 202, answer.text

        def wait(numbers):
            until = time.monotonic() + 120
            while missing := [i for i in numbers if client.get(f"/readings/{MONTH}/C{i:07d}").is_error]:
                assert time.monotonic() < until, f"no reading of {missing}"
                time.sleep(0.1)

        send(range(10))
        wait(range(10))
        (queue,) = compose.containers("queue")
        assert queue.exec_run("redis-cli CONFIG GET appendfsync").output.split()[-1] == b"always"
        compose.containers("worker")[0].kill()
        send(range(10, 30))
        for service in ("queue", "database"):
            (container,) = compose.containers(service)
            container.kill()
            container.start()
        compose.containers("worker")[0].start()
        wait(range(30))
