"""A real cluster: what it does by itself, what it refuses, and that nothing is left of it.

Thorough. It runs on a cluster of one's own where one answers. Else on one that is started here, where that
has been built: ``bash infra/scaling/kubernetes/cluster.sh build FOLDER``, and an engine in DOCKER_HOST.
Where neither is possible they are skipped with the reason; in CI they must run where the cluster was built.
"""

import json
import subprocess
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from fsdl_course.notebooks import conversion
from fsdl_course.setup import images
from fsdl_deploy import RemoteReader
from fsdl_deploy.cards import cards
from fsdl_deploy.paths import ROOT
from fsdl_deploy.reader import OnnxReader
from fsdl_deploy.scaling import cluster_trial, manifests
from fsdl_deploy.scaling.cluster_images import GOOD, OTHER, bring_images
from fsdl_deploy.scaling.deployment import Deployment
from fsdl_deploy.scaling.kubernetes import OLD, OURS, ClusterError, find_cluster

SCRIPT = ROOT / "infra" / "scaling" / "kubernetes" / "cluster.sh"
pytestmark = [pytest.mark.thorough, pytest.mark.timeout(900)]


def script(action: str, folder: Path) -> subprocess.CompletedProcess:
    return subprocess.run(["bash", SCRIPT, action, folder], capture_output=True, text=True, timeout=600)


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    """A cluster with the reader's images: one that answers, or one of its own for these tests."""
    cluster = find_cluster(say=lambda _: None)
    if cluster is None and (refused := script("able", tmp_path_factory.getbasetemp())).returncode:
        pytest.skip(refused.stderr.strip() or "No cluster can be made here")
    engine = images.prepare(lambda _: None)
    folder = None
    with pytest.MonkeyPatch.context() as patch:
        if cluster is None:
            folder = tmp_path_factory.mktemp("cluster") / "data"
            started = script("start", folder)
            assert started.returncode == 0, started.stderr[-3000:]
            patch.setenv("KUBECONFIG", started.stdout.strip())
            cluster = find_cluster()
            assert cluster.context == OURS
        try:
            bring_images(engine, cluster.context, lambda _: None)
            yield cluster
        finally:
            if folder is not None:
                assert script("stop", folder).returncode == 0 and not folder.exists()


@pytest.fixture(scope="module")
def notebook(cluster, tmp_path_factory):
    """The notebook, run on the cluster: its texts, and what it keeps of its run."""
    source = ROOT / "notebooks" / "source" / "tools" / "kubernetes.py"
    notebook = conversion.read_source(source, "tools/kubernetes")
    notebook.cells.append(nbformat.v4.new_code_cell("import json\nprint(json.dumps(run))"))
    folder = tmp_path_factory.mktemp("notebook")
    NotebookClient(notebook, timeout=600, resources={"metadata": {"path": str(folder)}}).execute()
    texts = [str(output) for cell in notebook.cells for output in cell.get("outputs", ())]
    return texts, json.loads(notebook.cells[-1].outputs[0].text)


def test_the_notebook_shows_its_own_run_and_ends_it(notebook):
    texts, _ = notebook
    assert not any("Recorded on" in text for text in texts) and any("is gone" in text for text in texts)


def test_a_lost_copy_is_replaced_by_itself(notebook):
    _, run = notebook
    assert 0 < run["lost"]["seconds"] < 120 and run["lost"]["requests"] > 6


@pytest.mark.parametrize(("callers", "version"), [("kept", OTHER), ("new", GOOD)])
def test_an_update_reaches_all_copies_and_loses_no_request(notebook, callers, version):
    update = notebook[1][callers]
    assert update["image"] == version and update["complete"]
    assert update["lost"] == 0 and update["requests"] > 30, update


def test_a_broken_version_stops_at_one_pod_and_nobody_notices(notebook):
    broken = notebook[1]["broken"]
    assert not broken["complete"] and "timed out" in broken["message"]
    # The autoscaler may have added good ones, which are busy while they start.
    good = [pod["image"] == GOOD for pod in broken["pods"]]
    assert good.count(False) == 1 and good.count(True) >= 3
    assert broken["lost"] == 0 and broken["undo"]["complete"]


@pytest.fixture(scope="module")
def reader(cluster):
    with Deployment(cluster) as running:
        yield running
    names = [each["metadata"]["name"] for each in cluster.get("namespaces")["items"]]
    assert running.namespace not in names


def test_three_copies_answer_as_the_reader_in_this_process(reader):
    assert [pod.state for pod in reader.pods()] == ["ready"] * 3
    deck = [card.image for card in cards(10, "hard", seed=8)]
    with reader.url() as url:
        digits = [reading.digits for reading in RemoteReader(url).read(deck)]
    assert digits == [reading.digits for reading in OnnxReader().read(deck)]


def test_the_services_address_is_reached_through_the_api_server_too(reader):
    path = f"/api/v1/namespaces/{reader.namespace}/services/http:meter-reader:http/proxy/readyz"
    assert json.loads(reader.cluster.run("get", "--raw", path))


def test_more_requests_bring_more_copies_and_fewer_take_them_away(reader):
    if not reader.cluster.measures():
        assert reader.cluster.context != OURS
        pytest.skip("No cluster figures: this one has no metrics")
    seen = cluster_trial.autoscale(reader, seconds=45, after=400)
    copies = [moment[2] for moment in seen["moments"]]
    assert copies[0] == copies[-1] == 3 and max(copies) > 3, seen["moments"]
    assert max(busy or 0 for _, busy, _ in seen["moments"]) > 60


@pytest.mark.parametrize("mutant", manifests.mutants(), ids=lambda mutant: mutant.slip)
def test_the_cluster_refuses_what_the_schemas_refuse(reader, mutant):
    words = ["apply", "--dry-run=server", "--validate=strict", "--filename", "-"]
    whole, text = (manifests.FOLDER / "base" / mutant.file).read_text(encoding="utf-8"), mutant.text
    if reader.overlay == "old":  # so that the slip is refused, and not the version
        whole, text = (each.replace("autoscaling/v2\n", OLD + "\n") for each in (whole, text))
    reader.run(*words, text=whole)
    if reader.overlay == "old" and mutant.after == OLD:
        assert text == whole  # what is a slip today was right then
        return
    assert text != whole
    with pytest.raises(ClusterError):
        reader.run(*words, text=text)


def test_what_only_a_cluster_can_see_is_refused_there(reader):
    text = manifests.sources()["base/deployment.yaml"]
    wrong = text.replace("cpu: 300m", "cpu: 50m")  # less than is asked for
    assert wrong != text and manifests.problems([wrong]) == [[]]
    with pytest.raises(ClusterError, match="cpu"):
        reader.run("apply", "--dry-run=server", "--filename", "-", text=wrong)


def test_a_deployment_that_does_not_start_says_why_and_leaves_nothing(cluster, monkeypatch):
    monkeypatch.setattr("fsdl_deploy.scaling.deployment.START", 5)
    lame = Deployment(cluster)
    monkeypatch.setattr(lame, "wait", lambda seconds: type(lame).wait(lame, 0.1))
    with pytest.raises(ClusterError, match="not ready after"), lame:
        pass
    names = [each["metadata"]["name"] for each in cluster.get("namespaces")["items"]]
    assert lame.namespace not in names
