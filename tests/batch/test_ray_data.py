"""The batch job on Ray Data, in its station, on a cluster of this machine; and the file of a real cluster."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil
import pytest
import yaml
from sockets import listening

from fsdl_course.setup.stations import ensure
from fsdl_deploy.batch.freshness import freshness
from fsdl_deploy.batch.inbox import fill
from fsdl_deploy.batch.store import Store
from fsdl_deploy.customers import Customers
from fsdl_deploy.paths import ROOT
from fsdl_deploy.reader import LATEST
from fsdl_deploy.running import stations
from fsdl_deploy.running.servers import Server

RAY = ROOT / "infra" / "batch" / "ray"
MONTH = "2026-10"
CARDS, CHUNK, CHUNKS = 120, 20, 6
ASIDE = 2 if sys.platform == "linux" else 1  # cards that are set aside

pytestmark = pytest.mark.timeout(1800)  # a busy machine takes its time to start a dozen Pythons

SCRIPT = """
import json, os, signal, sys
import score

chunks, record = json.loads(sys.argv[1]), sys.argv[2]  # what goes wrong: {a card of the chunk: how}
inbox, month, store, chunk = (os.environ[name] for name in ("INBOX", "MONTH", "STORE", "CHUNK"))

class Scorer(score.Scorer):
    def __call__(self, row):
        for card, how in chunks.items():
            if card in row["pictures"]:
                with open(os.path.join(record, card), "a") as file: file.write("x")
                first = len(open(os.path.join(record, card)).read()) == 1
                if how == "always raises" or how == "raises once" and first:
                    raise OSError("the file system does not answer\\nand does not say why")
                done = None if how == "always dies" else super().__call__(row)
                if how == "always dies" or how == "dies once" and first:
                    os.kill(os.getpid(), signal.SIGKILL)
                return done
        return super().__call__(row)

score.WAVE = 4
print(json.dumps(score.score(inbox, month, store, int(chunk), Scorer, record)))
"""


@pytest.fixture(scope="module")
def python() -> Path:
    return ensure("ray")


@pytest.fixture(scope="module")
def settings() -> dict[str, str]:
    return stations.settings(RAY / "local.env")


@pytest.fixture(scope="module")
def cluster(python):
    """A cluster of two cores; when it has ended, no process of it is left."""
    with tempfile.TemporaryDirectory(prefix="ray") as folder:
        command = [python, RAY / "local_cluster.py", "--port", "{port}", "--cores", "2", "--folder", folder]
        ready = Path(folder, "ray_current_cluster")
        with Server(command, ready=lambda _: ready.exists(), timeout=400) as server:
            yield server
            processes = psutil.Process(server.pid).children(recursive=True)
        assert processes and not [process for process in processes if process.is_running()]


@pytest.fixture(scope="module")
def inbox(tmp_path_factory) -> Path:
    """Cards 0 to 119 in chunks of twenty; one is no picture, and one has a name that is not UTF-8."""
    path = tmp_path_factory.mktemp("inbox")
    fill(path, Customers(CARDS), MONTH, different=10)
    pictures = sorted(str(file.relative_to(path / MONTH)) for file in (path / MONTH).rglob("C*.jpg"))
    (path / MONTH / pictures[15]).unlink()  # other names of the same file stay
    (path / MONTH / pictures[15]).write_bytes(b"no picture")
    if ASIDE == 2:
        os.rename(path / MONTH / pictures[16], os.fsencode(path / MONTH / pictures[16])[:-4] + b"\xff.jpg")
    return path


@pytest.fixture
def start(python, settings, cluster, inbox, tmp_path):
    """Start a job over the inbox, in which some chunks go wrong; its store is readings.db or ``store``."""

    def start(store: str | None = None, **chunks: str) -> subprocess.Popen:
        # By a relative path, as at the command line: the scorers may work in another folder.
        store = store or os.path.relpath(tmp_path / "readings.db", RAY)
        env = {"INBOX": os.path.relpath(inbox, RAY), "STORE": store}
        env |= {"MONTH": MONTH, "CHUNK": str(CHUNK), "RAY_ADDRESS": cluster.url.removeprefix("http://")}
        return subprocess.Popen(
            [python, "-c", SCRIPT, json.dumps(chunks), tmp_path],
            cwd=RAY,
            env=os.environ | settings | env,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    return start


@pytest.fixture
def run(start, tmp_path):
    """Run such a job to its end; return what its chunks came to, or fail with what it said."""

    def run(fails: bool = False, store: str | None = None, **chunks: str) -> list[dict]:
        job = start(store, **chunks)
        output, messages = job.communicate(timeout=800)
        assert bool(job.returncode) == fails, output + messages[-5000:]
        lines = [line for line in output.splitlines() if line.startswith("[{")]  # Ray writes there too
        return [] if fails else json.loads(lines[0])

    return run


def tries(folder, card) -> int:
    return len((folder / card).read_text())


@pytest.mark.thorough
def test_each_card_once_and_as_plain_batch_reads_it(run, inbox, tmp_path):
    from fsdl_deploy.batch.job import Batch
    from fsdl_deploy.reader import open_reader

    chunks = run()
    store, plain = Store(tmp_path / "readings.db"), Store(tmp_path / "plain.db")
    assert store.counts(MONTH, LATEST) == (CARDS - ASIDE, ASIDE)
    assert [chunk["read"] + chunk["set_aside"] for chunk in chunks] == [CHUNK] * CHUNKS
    [recorded] = store.runs()
    assert recorded["read"] == CARDS - ASIDE and recorded["finished"] and recorded["error"] is None
    assert freshness(store).fresh
    events = json.loads((tmp_path / "timeline.json").read_text())
    assert sum(event["name"] == "submit" for event in events) >= CHUNKS
    assert "Map(Scorer): 2 tasks executed" in (tmp_path / "stats.txt").read_text()  # of the second wave

    with Batch(inbox, MONTH, plain, open_reader()) as batch:
        batch.score(progress=False)
    query = "select month, customer, digits, confidence, picture from predictions order by customer"
    rows = [table.engine.connect().exec_driver_sql(query).tuples().all() for table in (store, plain)]
    assert rows[0] == rows[1] and len(rows[0]) == CARDS - ASIDE


@pytest.mark.thorough
@pytest.mark.parametrize("store_url", ["postgresql"], indirect=True)
def test_scorer_that_dies_is_replaced_and_a_chunk_that_raises_tried_again(run, store_url, tmp_path):
    chunks = run(store=store_url, C0000040="dies once", C0000080="raises once")
    store = Store(store_url)
    assert tries(tmp_path, "C0000040") == tries(tmp_path, "C0000080") == 2
    assert store.counts(MONTH, LATEST) == (CARDS - ASIDE, ASIDE) and freshness(store).fresh
    assert sum(chunk["already"] for chunk in chunks) == CHUNK, "it died after storing: its rows are there"
    assert sum(chunk["read"] for chunk in chunks) == CARDS - ASIDE - CHUNK


@pytest.mark.thorough
def test_whatever_ends_a_job_the_next_one_goes_on(run, start, cluster, tmp_path):
    store, deadline = Store(tmp_path / "readings.db"), time.monotonic() + 400
    job = start()
    while not any(store.counts(MONTH, LATEST)) and job.poll() is None and time.monotonic() < deadline:
        time.sleep(0.02)
    job.send_signal(signal.SIGKILL)
    job.communicate()
    while cluster.processes("Scorer") and time.monotonic() < deadline:
        time.sleep(0.2)
    assert not cluster.processes("Scorer"), "nobody waits for them any more"
    stored = sum(store.counts(MONTH, LATEST))
    assert stored and stored % CHUNK == 0

    # The last chunk: the first wave is stored, and the second does not come to its end.
    run(fails=True, C0000119="always raises")
    failed = store.runs()[0]
    assert tries(tmp_path, "C0000119") == 3
    assert failed["error"] == "OSError: the file system does not answer" and failed["finished"] is None
    verdict = freshness(store)
    assert (
        not verdict.fresh
        and "Last night failed" in verdict.sentence
        and "does not answer" in verdict.sentence
    )
    (tmp_path / "C0000119").unlink()
    missing = CARDS - sum(store.counts(MONTH, LATEST))
    assert missing and missing % CHUNK == 0

    chunks = run()
    assert sum(chunk["read"] + chunk["set_aside"] for chunk in chunks) == missing
    assert store.counts(MONTH, LATEST) == (CARDS - ASIDE, ASIDE) and freshness(store).fresh


@pytest.mark.thorough
def test_cluster_listens_on_loopback_only(cluster):
    assert {ip.removeprefix("::ffff:") for ip in listening(cluster.pid)} == {"127.0.0.1"}


@pytest.mark.thorough
def test_machines_of_a_cluster_share_no_file(python, settings, tmp_path):
    env = os.environ | settings | {"INBOX": str(tmp_path), "MONTH": MONTH, "STORE": str(tmp_path / "a.db")}
    process = subprocess.run(
        [python, RAY / "score.py"],
        env=env | {"RAY_ADDRESS": "192.0.2.1:6379"},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert process.returncode == 1 and "STORE is a postgresql:// URL" in process.stderr
    assert not (tmp_path / "a.db").exists()


def test_folder_that_is_too_long_for_sockets_is_refused(python, tmp_path):
    command = [python, RAY / "local_cluster.py", "--port", "1", "--folder", tmp_path / ("x" * 50)]
    process = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert process.returncode == 1 and "too long for the paths of sockets" in process.stderr


def check(python, *paths) -> tuple[int, str]:
    command = [python, RAY / "check_cluster.py", *paths]
    process = subprocess.run(command, capture_output=True, text=True, timeout=300)
    return process.returncode, process.stdout + process.stderr


def test_cluster_file_is_fit_for_ray_up(python):
    status, message = check(python, RAY / "cluster.yaml")
    assert status == 0 and "10 x worker" in message and " 1 x head" in message


def test_broken_cluster_files_are_refused(python, tmp_path):
    text, files = (RAY / "cluster.yaml").read_text(), []
    wrong = {
        "setup_commands:": ("setup_comands:", "'setup_comands' was unexpected"),
        "head_node_type: head": ("head_node_type: hed", "head_node_type"),
        "    min_workers: 10": ("    min_workers: 11", "max_workers"),
        "resources: {CPU: 2}": ("resources: {CPU: two}", "worker/resources/CPU: 'two' is not of type"),
        "type: aws": ("type: awss", "awss"),
        "provider:": ("providers:", "'provider' is missing"),
        "auth:": ("auth: [", "expected ',' or ']'"),
    }
    for number, (right, (instead, _)) in enumerate(wrong.items()):
        assert text.count(right) >= 1
        files.append(tmp_path / f"{number}.yaml")
        files[-1].write_text(text.replace(right, instead, 1))
    status, message = check(
        python, *files, RAY / "cluster.yaml"
    )  # one that is right hides none that is wrong
    assert status == 1 and "Traceback" not in message
    for file, (_, says) in zip(files, wrong.values(), strict=True):
        assert says in message.partition(f"{file}: ")[2].partition(f"{tmp_path}/")[0]


def test_cluster_file_names_what_amazon_knows_and_this_course_has():
    from botocore.session import get_session
    from botocore.validate import ParamValidator

    cluster = yaml.safe_load((RAY / "cluster.yaml").read_text())
    run_instances = get_session().get_service_model("ec2").operation_model("RunInstances").input_shape
    for kind in cluster["available_node_types"].values():
        request = {"MinCount": 1, "MaxCount": 1} | kind["node_config"]
        assert not ParamValidator().validate(request, run_instances).has_errors()
        assert not set(request) - set(run_instances.members)
        allowed = run_instances.members["InstanceType"].enum
        assert kind["node_config"]["InstanceType"] in allowed
    for there, here in cluster["file_mounts"].items():
        assert (ROOT / here).is_dir() and there == f"/home/ray/course/{here}"
    lock = (RAY / "requirements.lock").read_text()
    version = cluster["docker"]["image"].split(":")[1].split("-")[0]
    assert f"\nray=={version} " in lock
