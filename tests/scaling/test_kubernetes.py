"""Kubernetes without a cluster: which may be asked, what is sent to it, and manifests that are refused."""

import json
import os
import runpy
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from fsdl_deploy.packaging.engine import ContainerError
from fsdl_deploy.paths import ROOT
from fsdl_deploy.running import stations
from fsdl_deploy.scaling import cluster_trial, kubernetes, manifests
from fsdl_deploy.scaling.cluster_images import loading
from fsdl_deploy.scaling.deployment import Deployment
from fsdl_deploy.scaling.kubernetes import Cluster, ClusterError, find_cluster, near, permitted
from fsdl_deploy.scaling.orchestrators import beside
from fsdl_deploy.scaling.swarm import Swarm

FAKE = Path(__file__).with_name("fake_kubectl.py")
SCRIPT = ROOT / "infra" / "scaling" / "kubernetes" / "cluster.sh"
HERE = "https://127.0.0.1:6443"
METRICS = SCRIPT.with_name("metrics.py")
posix = pytest.mark.skipif(os.name != "posix", reason="the pretended kubectl is a shell script")


@pytest.fixture
def kubectl(tmp_path, monkeypatch):
    """A kubectl that pretends: ``answer(words=answer)``, and ``asked()`` is what it was asked."""
    program = tmp_path / "kubectl"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -I -S "{FAKE}" "{tmp_path}" "$@"\n')
    program.chmod(0o755)
    nowhere = stations.Station("kubernetes", "", tmp_path, tmp_path, tmp_path)
    monkeypatch.setattr(kubernetes.stations, "station", lambda name: nowhere)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")

    def answer(**answers):
        written = {key.replace("_", " "): value for key, value in answers.items()}
        (tmp_path / "answers.json").write_text(json.dumps(written))

    def asked():
        notes = tmp_path / "asked"
        return [json.loads(line) for line in notes.read_text().splitlines()] if notes.exists() else []

    return SimpleNamespace(program=program, answer=answer, asked=asked)


# which cluster may be asked


@pytest.mark.parametrize(
    "context", ["kind-kind", "kind-a-b", "minikube", "k3d-mine", "docker-desktop", kubernetes.OURS]
)
def test_clusters_of_ones_own_machine_are_taken_by_themselves(context):
    assert permitted(context)


@pytest.mark.parametrize(
    "context",
    [
        "",
        "production",
        "kind",
        "my-kind-cluster",
        "minikube-prod",
        "arn:aws:eks:eu:1:cluster/kind-x",
        "KIND-x",
    ],
)
def test_any_other_has_to_be_named(context):
    assert not permitted(context)
    assert not permitted(context, "another")
    assert permitted(context, context) == bool(context)


@posix
def test_the_companys_cluster_is_asked_for_nothing_unless_it_is_named(kubectl):
    kubectl.answer(config_current=[0, "production\n", ""], get=[0, "ok", ""])
    sentences = []
    assert find_cluster(say=sentences.append) is None
    (sentence,) = sentences
    assert "'production'" in sentence and "nothing is deployed there unasked" in sentence
    assert [words[0] for words in kubectl.asked()] == ["config"]
    assert find_cluster("production", sentences.append) == Cluster(kubectl.program, "production")
    assert len(sentences) == 1


@posix
def test_every_call_names_the_context_so_that_a_switch_changes_nothing(kubectl):
    kubectl.answer(config_current=[0, "kind-kind\n", ""], config_view=[0, HERE, ""], get=[0, "{}", ""])
    cluster = find_cluster()
    kubectl.answer(config_current=[0, "production\n", ""], get=[0, "{}", ""])
    cluster.get("pods")
    assert [words[:2] for words in kubectl.asked() if words[0] != "config"] == [
        ["--context", "kind-kind"]
    ] * 2


@posix
@pytest.mark.parametrize(
    ("answers", "says"),
    [
        ({"config_current": [1, "", "error: current-context is not set"]}, "knows no cluster"),
        (
            {
                "config_current": [0, "minikube\n", ""],
                "config_view": [0, "https://192.168.49.2:8443", ""],
                "get": [1, "", "dial tcp: refused"],
            },
            "'minikube' does not answer",
        ),
    ],
)
def test_without_a_cluster_one_sentence_and_none(kubectl, answers, says):
    kubectl.answer(**answers)
    sentences = []
    assert find_cluster(say=sentences.append) is None
    assert len(sentences) == 1 and says in sentences[0] and "recorded run" in sentences[0]


@pytest.mark.parametrize(
    ("server", "ours"),
    [
        (HERE, True),
        ("https://[::1]:6443", True),
        ("https://0.0.0.0:6550", True),
        ("https://192.168.49.2:8443", True),
        ("https://localhost:6443", True),
        ("https://kubernetes.docker.internal:6443", True),
        ("https://34.90.11.12", False),
        ("https://api.example.com:6443", False),
        ("https://localhost.example.com", False),
        ("https://docker.internal.example.com", False),
        ("", False),
    ],
)
def test_a_server_is_near_by_its_address(server, ours):
    assert near(server, "minikube") == ours


@pytest.mark.parametrize("context", ["kind-kind", "k3d-mine", "docker-desktop", kubernetes.OURS])
def test_only_minikube_may_be_at_a_private_address(context):
    for server in (
        "https://192.168.49.2:8443",
        "https://10.1.2.3:6443",
        "https://169.254.1.1",
        "https://[fe80::1]",
    ):
        assert not near(server, context)
    assert near(HERE, context)


@posix
def test_a_name_alone_makes_no_cluster_ones_own(kubectl):
    far = {"config_current": [0, "minikube\n", ""], "config_view": [0, "https://34.90.11.12", ""]}
    kubectl.answer(**far, get=[0, "ok", ""])
    sentences = []
    assert find_cluster(say=sentences.append) is None
    assert "34.90.11.12" in sentences[0] and len(sentences) == 1
    assert [words[0] for words in kubectl.asked()] == ["config", "config"]
    assert find_cluster("minikube", sentences.append) == Cluster(kubectl.program, "minikube")


@posix
def test_without_kubectl_the_sentence_says_what_brings_it(kubectl, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path / "empty"))
    sentences = []
    assert find_cluster(say=sentences.append) is None
    assert "make station NAME=kubernetes" in sentences[0]


# what is sent to it


@posix
def test_a_deployment_that_fails_leaves_no_namespace(kubectl):
    nothing = [0, '{"items": []}', ""]
    well = {key: [0, "", ""] for key in ("create", "label", "delete")}
    kubectl.answer(get=nothing, apply=[1, "", "error: no such image"], **well)
    reader = Deployment(Cluster(kubectl.program, "kind-kind"), "laptop")
    with pytest.raises(ClusterError, match="kubectl apply: error: no such image"), reader:
        pass
    words = [asked[2:] for asked in kubectl.asked() if asked[2] != "get"]
    assert words[0] == ["create", "namespace", reader.namespace]
    assert words[-2][:3] == ["delete", "namespace", reader.namespace]
    assert reader.namespace.startswith("fsdl-")


@posix
def test_two_deployments_are_never_in_one_namespace(kubectl):
    cluster = Cluster(kubectl.program, "kind-kind")
    assert Deployment(cluster).namespace != Deployment(cluster).namespace


@posix
def test_the_overlay_follows_what_the_cluster_knows(kubectl):
    cluster = Cluster(kubectl.program, "kind-kind")
    kubectl.answer(api_versions=[0, "", ""])
    kubectl.answer(**{"api-versions": [0, "apps/v1\nautoscaling/v1\nautoscaling/v2beta2\n", ""]})
    assert cluster.overlay == "old" and not cluster.measures()
    kubectl.answer(**{"api-versions": [0, "autoscaling/v2\nmetrics.k8s.io/v1beta1\n", ""]})
    assert cluster.overlay == "laptop" and cluster.measures()


@posix
def test_an_update_that_stops_is_an_answer_and_no_error(kubectl):
    kubectl.answer(set=[0, "", ""], rollout=[1, "Waiting…\n", "error: timed out waiting for the condition\n"])
    end = Deployment(Cluster(kubectl.program, "kind-kind")).update("meter-reader:broken", 1)
    assert not end.complete and end.message.endswith("timed out waiting for the condition")


@posix
def test_pods_say_why_they_are_not_ready(kubectl):
    def pod(name, ready, state, **metadata):
        status = {
            "phase": "Running",
            "containerStatuses": [{"ready": ready, "restartCount": 2, "state": state}],
        }
        spec = {"containers": [{"image": "meter-reader:v1"}]}
        return {"metadata": {"name": name, **metadata}, "spec": spec, "status": status}

    items = [
        pod("a", True, {"running": {}}),
        pod("b", False, {"waiting": {"reason": "CrashLoopBackOff"}}),
        pod("c", False, {"running": {}}),
        pod("d", True, {"running": {}}, deletionTimestamp="2026-11-29T00:00:00Z"),
    ]
    kubectl.answer(get=[0, json.dumps({"items": items}), ""])
    pods = Deployment(Cluster(kubectl.program, "kind-kind")).pods()
    assert [(each.name, each.state) for each in pods] == [
        ("a", "ready"),
        ("b", "CrashLoopBackOff"),
        ("c", "not ready"),
    ]
    assert {(each.image, each.restarts) for each in pods} == {("meter-reader:v1", 2)}


def test_images_come_to_each_kind_of_cluster_in_its_own_way():
    assert loading("docker-desktop", "a:b") is None is loading(kubernetes.OURS, "a:b")
    assert loading("kind-two", "a:b") == ["kind", "load", "docker-image", "a:b", "--name", "two"]
    assert loading("k3d-mine", "a:b")[-2:] == ["--cluster", "mine"]
    assert loading("minikube", "a:b")[-1] == "a:b"
    with pytest.raises(ClusterError, match="'production' is not known here: push them to its registry"):
        loading("production", "a:b")


# the manifests


@pytest.mark.parametrize("overlay", ["laptop", "cloud"])
def test_manifests_pass_todays_schemas(overlay):
    assert manifests.problems([manifests.render(overlay)]) == [[]]


def test_the_old_overlay_has_the_versions_of_then_and_nothing_else_is_different():
    text = manifests.render("old")
    assert [len(faults) for faults in manifests.problems([text])] == [2]
    today = text.replace("autoscaling/v2beta2", "autoscaling/v2").replace("policy/v1beta1", "policy/v1")
    assert today == manifests.render("laptop")


def test_each_manifest_of_the_base_passes_and_each_of_twelve_broken_copies_does_not():
    texts = [
        text
        for name, text in manifests.sources().items()
        if name.startswith("base/") and "kustom" not in name
    ]
    assert len(texts) == 4 and manifests.problems(texts) == [[]] * 4
    mutants = manifests.mutants()
    assert len(mutants) == 12 and len({mutant.text for mutant in mutants}) == 12
    for mutant, faults in zip(mutants, manifests.problems(mutant.text for mutant in mutants), strict=True):
        assert len(faults) == 1, mutant.slip


def test_what_is_no_manifest_is_a_problem_and_no_error():
    assert [len(faults) for faults in manifests.problems(["a: [", "- 1", "{}", "kind: Pod"])] == [1, 1, 0, 1]


def test_an_unknown_overlay_lists_the_known_ones():
    with pytest.raises(ValueError, match="the overlays are laptop, cloud, old"):
        manifests.render("production")


def test_lines_that_say_nothing_are_not_counted():
    assert manifests.lines("# why\n\na: 1\n---\n  b: 2 # c\n") == 2


def test_the_deployment_is_built_to_lose_no_request():
    import yaml

    text = manifests.render("laptop")
    resources = {each["kind"]: each for each in yaml.safe_load_all(text)}
    spec = resources["Deployment"]["spec"]
    assert spec["strategy"]["rollingUpdate"]["maxUnavailable"] == 0 and spec["replicas"] == 3
    (container,) = spec["template"]["spec"]["containers"]
    seconds = int(container["lifecycle"]["preStop"]["exec"]["command"][-1])
    assert 0 < seconds < spec["template"]["spec"]["terminationGracePeriodSeconds"]
    assert container["readinessProbe"]["httpGet"]["path"] == "/readyz"
    assert container["livenessProbe"]["httpGet"]["path"] == "/healthz"
    assert container["resources"].keys() == {"requests", "limits"}
    assert resources["PodDisruptionBudget"]["spec"]["minAvailable"] < spec["replicas"]


# the cluster for CI


def test_metrics_are_the_kubelets_figures_of_the_pods_that_were_asked_for():
    cpu = {"time": "2026-11-29T09:00:00Z", "usageNanoCores": 76_000_000}
    container = {"name": "reader", "cpu": cpu, "memory": {"workingSetBytes": 70 * 2**20}}
    names = [("fsdl-1", "a"), ("fsdl-1", "b"), ("kube-system", "c")]
    pods = [
        {"podRef": {"namespace": space, "name": name}, "containers": [container]} for space, name in names
    ]
    pods[1]["containers"] = [{"name": "reader", "cpu": {"time": "…"}}]  # not measured yet
    asked = [
        {"metadata": {"namespace": space, "name": name, "labels": {"app": "x"}}} for space, name in names[:2]
    ]
    (item,) = runpy.run_path(METRICS)["pod_metrics"]({"pods": pods}, asked)
    assert item["metadata"] == {"namespace": "fsdl-1", "name": "a", "labels": {"app": "x"}}
    assert item["containers"] == [{"name": "reader", "usage": {"cpu": "76000000n", "memory": "71680Ki"}}]


@posix
@pytest.mark.parametrize(
    ("id_says", "says"),
    [("1000", "a node of Kubernetes needs root"), ("0", "is not built|DOCKER_HOST|control groups")],
)
def test_where_no_cluster_can_be_made_one_sentence_says_why(tmp_path, id_says, says):
    if not Path("/etc/debian_version").exists() or "ID=debian" not in Path("/etc/os-release").read_text():
        says = "its source is Debian's"
    (tmp_path / "id").write_text(f"#!/bin/sh\necho {id_says}\n")
    (tmp_path / "id").chmod(0o755)
    environ = {
        "PATH": f"{tmp_path}:/usr/bin:/bin",
        "HOME": str(tmp_path),
        "FSDL_CLUSTER": str(tmp_path / "empty"),
    }
    process = subprocess.run(
        ["bash", SCRIPT, "able", tmp_path / "cluster"],
        env=environ,
        capture_output=True,
        text=True,
        timeout=60,
    )
    (sentence,) = process.stderr.splitlines()
    assert process.returncode == 1 and sentence.startswith("No cluster can be made here: ")
    assert any(part in sentence for part in says.split("|")) and not (tmp_path / "cluster").exists()


# what is counted


def test_a_swarm_that_is_somebodys_is_left_alone():
    def never(**_):
        raise AssertionError("a Swarm was started")

    client = SimpleNamespace(
        info=lambda: {"Swarm": {"LocalNodeState": "active"}},
        services=SimpleNamespace(list=lambda: []),
        swarm=SimpleNamespace(init=never, leave=never),
    )
    with pytest.raises(ContainerError, match="in a Swarm already"), Swarm(client, everywhere=True):
        pass
    with pytest.raises(ContainerError, match="every address of this machine"):
        Swarm(client)


@posix
def test_programs_beside_the_copies_are_counted_with_their_children():
    mark = f"mark-{os.getpid()}"
    code = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'print(1, flush=True); input()'])"
    with subprocess.Popen(
        [sys.executable, "-c", code, mark], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout.readline() == "1\n"
        both = beside([mark])
        process.stdin.close()
    assert both.processes == 2 and both.mebibytes > 2
    assert beside([mark]).processes == 0


def test_the_record_has_what_the_notebook_shows():
    record = cluster_trial.recorded()
    assert {"date", "machine", "kubernetes", "nodes", "start_seconds", "pods"} <= record.keys()
    assert len(record["pods"]) == 3 and {pod["state"] for pod in record["pods"]} == {"ready"}
    for step in ("lost", "kept", "new", "broken", "autoscaler"):
        assert record[step]["requests"] > 20, step
    assert record["new"]["complete"] and record["kept"]["complete"] and not record["broken"]["complete"]
    assert record["broken"]["undo"]["complete"] and record["broken"]["history"]
    copies = [moment[2] for moment in record["autoscaler"]["moments"]]
    assert max(copies) > copies[0] == copies[-1]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("apiVersion: v1\nkind: Service\nkind: Pod\n", "kind stands twice"),
        ("apiVersion: v1\nkind: 5\n", "an apiVersion and a kind"),
        ("apiVersion: 1\nkind: Service\n", "an apiVersion and a kind"),
        ("apiVersion: v1\nkind: [Service]\n", "an apiVersion and a kind"),
    ],
)
def test_what_is_no_resource_is_one_sentence(text, says):
    ((problem,),) = manifests.problems([text])
    assert says in problem


def test_a_version_without_schemas_is_one_sentence():
    ((problem,),) = manifests.problems(["apiVersion: v1\nkind: Service\n"], "9.99")
    assert "no schemas of Kubernetes 9.99" in problem
