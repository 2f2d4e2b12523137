"""Ways to run three copies: counted in the same way, fair to each other, and no failure is lost."""

import json
import os
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

import pytest
import yaml

from fsdl_deploy.measuring import records
from fsdl_deploy.running import stations
from fsdl_deploy.running.servers import Server
from fsdl_deploy.scaling import manifests, orchestrators, ways_to_run
from fsdl_deploy.scaling.asking import Asking
from fsdl_deploy.scaling.cluster_images import BROKEN, GOOD, OTHER
from fsdl_deploy.scaling.orchestrators import Beside, beside, count
from fsdl_deploy.scaling.replicas import Replica, replicas
from fsdl_deploy.scaling.ways_to_run import AskingOneOf, Processes, ports_in_a_row

posix = pytest.mark.skipif(os.name != "posix", reason="counts processes as Linux shows them")


class Pretended:
    """A way with a real replica; ``fails``: what raises."""

    name = "pretended"

    def __init__(self, server, fails=()):
        self.replica, self.fails, self.image, self.ended = Replica(server), fails, GOOD, False

    def __enter__(self):
        self.may("start")
        self.replica.start()
        return self

    def __exit__(self, *_):
        self.replica.stop()
        self.ended = True

    def may(self, part):
        if part in self.fails:
            raise RuntimeError(f"no {part}")

    def lines(self):
        return 7

    def beside(self):
        self.may("beside")
        return Beside(2, 3.5)

    def asking(self):
        return Asking(f"{self.replica.url}/read", b"{}")

    def update(self, image):
        self.may(image)
        if image == BROKEN:
            return "rolled back"
        self.image = image
        return ""

    def healthy(self, image):
        return int(image == self.image)


def counted(server, *fails):
    way = Pretended(server, fails)
    return count(way, rate=20, idle=0), way


def test_a_way_is_counted_updated_under_load_and_given_a_broken_version(make_fake):
    seen, way = counted(make_fake(0.01)())
    assert (seen.lines, seen.processes, seen.mebibytes, seen.problems) == (7, 2, 3.5, [])
    assert seen.update.ended == "" and seen.update.left == 0 and seen.update.lost == 0
    assert seen.broken.ended == "rolled back" and seen.broken.left == 1
    assert seen.update.requests > 0 < seen.broken.requests
    assert way.ended and not way.replica.running
    json.dumps(asdict(seen), allow_nan=False)


@pytest.mark.parametrize(
    ("part", "sentence"),
    [
        ("beside", "beside: RuntimeError: no beside"),
        (OTHER, f"update: RuntimeError: it ended as RuntimeError: no {OTHER}"),
    ],
)
def test_what_fails_is_a_sentence_and_the_rest_is_counted(make_fake, part, sentence):
    seen, way = counted(make_fake(0.01)(), part)
    assert seen.problems == [sentence] and way.ended
    assert seen.lines == 7 and seen.broken.requests > 0 < seen.update.requests
    json.dumps(asdict(seen), allow_nan=False)


def test_a_way_that_does_not_start_is_a_sentence(make_fake):
    seen, _ = counted(make_fake(0.01)(), "start")
    assert seen.problems == ["start or end: RuntimeError: no start"] and seen.lines is None


def test_a_broken_version_that_goes_through_is_a_problem(make_fake):
    way = Pretended(make_fake(0.01)())
    way.update = lambda image: ""
    seen = count(way, rate=20, idle=0)
    assert seen.problems == ["broken: RuntimeError: an image that does not start went through"]


def test_processes_behind_nginx_from_start_to_end(monkeypatch, make_fake):
    station = stations.station("nginx")
    if not station.built:
        pytest.skip(station.not_built())

    def served(version="v2"):
        broken = Server(["false", "{port}"], "/readyz", name="broken")
        return broken if version == "v9" else make_fake(0.01)()

    monkeypatch.setattr(ways_to_run, "_served", served)
    way = Processes()
    seen = count(way, rate=20, idle=0)
    assert seen.problems == [] and seen.lines > 10 and seen.processes >= 2 and seen.mebibytes > 1
    assert (seen.update.ended, seen.update.lost, seen.update.left) == ("", 0, 0)
    assert "ended with exit status 1" in seen.broken.ended and seen.broken.left == 2
    assert seen.broken.lost == 0 and not any(replica.running for replica in way.fleet)


def test_callers_without_a_balancer_go_from_copy_to_copy_and_follow_a_change(make_fake):
    with replicas(2, None, make_fake(0)) as fleet:
        ports = [replica.port for replica in fleet]
        asking = AskingOneOf(lambda: ports, b"{}", keep_alive=False)
        assert {asking.place()[1] for _ in range(4)} == set(ports)
        asking()
        ports[:] = []
        asking._asked = float("-inf")  # it is time to look again
        with pytest.raises(ConnectionRefusedError, match="no copy is healthy"):
            asking()

    def never():
        raise RuntimeError("the engine does not answer")

    asking._known, asking._ports, asking._asked = [1234], never, float("-inf")
    assert asking.place()[1] == 1234


def test_ports_in_a_row_are_free_and_beside_each_other():
    first, last = map(int, ports_in_a_row(3).split("-"))
    assert last == first + 2


@posix
def test_a_cluster_that_names_its_engine_is_no_part_of_it():
    mark = f"mark-{os.getpid()}"
    code = "import sys; print(1, flush=True); sys.stdin.read()"
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with (
        subprocess.Popen([sys.executable, "-c", code, mark], **pipes) as engine,
        subprocess.Popen([sys.executable, "-c", code, f"--engine={mark}"], **pipes) as cluster,
    ):
        assert engine.stdout.readline() == cluster.stdout.readline() == "1\n"
        assert beside([mark]).processes == 2 == beside([mark], [cluster.pid]).processes
        assert beside([mark], without=[cluster.pid]).processes == 1
        engine.stdin.close()
        cluster.stdin.close()


@posix
def test_a_replica_that_is_held_from_its_start_is_held_before_it_is_asked(make_fake):
    server, shares = make_fake(0)(), []
    with Replica(server, 0.5, from_start=True) as replica:
        ready = server.ready

        def noticing(each):
            answer = ready(each)
            shares.append(replica.held_by)
            return answer

        server.ready = noticing
        replica.kill()
        assert replica.held_by is None
        replica.start()
        assert shares and all(shares) and replica.held_by == shares[0]


# fair to each other


def documents():
    files = (ways_to_run.COMPOSE_FILE, ways_to_run.SWARM_FILE)
    compose, swarm = (yaml.safe_load(file.read_text("utf-8"))["services"]["reader"] for file in files)
    deployment = yaml.safe_load(manifests.sources()["base/deployment.yaml"])["spec"]
    return compose, swarm, deployment


def test_all_ways_have_as_many_copies_with_as_much_of_a_core():
    compose, swarm, deployment = documents()
    (container,) = deployment["template"]["spec"]["containers"]
    copies = {each["deploy"]["replicas"] for each in (compose, swarm)} | {deployment["replicas"]}
    assert copies == {orchestrators.COPIES}
    for each in (compose, swarm):
        assert each["deploy"]["resources"] == {"limits": {"cpus": str(orchestrators.CORES), "memory": "384M"}}
    limits = container["resources"]["limits"]
    assert limits == {"cpu": f"{1000 * orchestrators.CORES:.0f}m", "memory": "384Mi"}


def test_all_ways_ask_the_same_path_as_often_and_watch_as_long():
    compose, swarm, deployment = documents()
    (container,) = deployment["template"]["spec"]["containers"]
    assert compose["healthcheck"] == swarm["healthcheck"] and compose["healthcheck"]["interval"] == "1s"
    assert container["readinessProbe"]["periodSeconds"] == 1
    assert container["readinessProbe"]["httpGet"]["path"] in compose["healthcheck"]["test"][-1]
    assert swarm["deploy"]["update_config"]["monitor"] == f"{deployment['minReadySeconds']}s"


@posix
def test_the_containers_check_tells_a_ready_service_from_another(make_fake, tmp_path):
    bash = Path("/bin/bash")
    if not bash.exists():
        pytest.skip("the check is for bash, as in the image")
    *_, script = documents()[0]["healthcheck"]["test"]

    def check(port):
        words = [bash, "-c", script.replace("/8000;", f"/{port};")]
        assert words[-1] != script
        return subprocess.run(words, capture_output=True, timeout=30).returncode

    with make_fake(0)() as server:
        assert check(server.port) == 0
        port = server.port
    assert check(port) != 0
    program = tmp_path / "busy.py"
    program.write_text(NOT_READY)
    with Server([sys.executable, program, "{port}"], None) as server:
        assert check(server.port) != 0


NOT_READY = """
import http.server, sys
class Busy(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_error(503)
http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Busy).serve_forever()
"""


# the record


def test_the_record_has_what_the_lesson_shows_and_no_way_failed():
    record = records.read(orchestrators.RECORD)
    assert [way["name"] for way in record["ways"]] == [
        "processes and nginx",
        "compose",
        "Docker Swarm",
        "Kubernetes",
    ]
    for way in record["ways"]:
        assert way["problems"] == [] and way["lines"] > 10 and way["processes"] > 1 < way["mebibytes"]
        assert way["update"]["ended"] == "" and way["broken"]["ended"]
        assert way["update"]["requests"] > 30 < way["broken"]["requests"]
