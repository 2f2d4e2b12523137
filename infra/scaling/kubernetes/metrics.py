"""The resource metrics API (``metrics.k8s.io/v1beta1``) out of the kubelet's own figures, for ``cluster.sh``.

A stand-in for metrics-server, which no package has: how much of a core and of memory each pod takes, as the
autoscaler and ``kubectl top`` ask for it. The pods' labels come from the API server, through kubectl.
"""

import argparse
import http.server
import json
import ssl
import subprocess
import urllib.parse
import urllib.request

GROUP, VERSION = "metrics.k8s.io", "metrics.k8s.io/v1beta1"
NAMES = {"pods": ("PodMetrics", True), "nodes": ("NodeMetrics", False)}


def usage(stats: dict) -> dict[str, str]:
    """A container's or node's figures as Kubernetes writes them: 250 thousandths of a core are 250000000n."""
    cores, memory = stats["cpu"]["usageNanoCores"], stats["memory"]["workingSetBytes"]
    return {"cpu": f"{cores}n", "memory": f"{memory // 1024}Ki"}


def pod_metrics(summary: dict, pods: list[dict]) -> list[dict]:
    """What the kubelet's ``summary`` says of these pods; those that it has not measured yet are left out."""
    labels = {(pod["metadata"]["namespace"], pod["metadata"]["name"]): pod["metadata"] for pod in pods}
    items = []
    for pod in summary["pods"]:
        place = pod["podRef"]["namespace"], pod["podRef"]["name"]
        measured = [each for each in pod.get("containers", []) if "usageNanoCores" in each.get("cpu", {})]
        if place in labels and measured:
            metadata = {key: labels[place][key] for key in ("namespace", "name", "labels")}
            containers = [{"name": each["name"], "usage": usage(each)} for each in measured]
            items.append(entry("PodMetrics", metadata, measured[0]["cpu"]["time"], containers=containers))
    return items


def entry(kind: str, metadata: dict, time: str, **content) -> dict:
    about = {"kind": kind, "apiVersion": VERSION, "metadata": metadata}
    return about | {"timestamp": time, "window": "15s"} | content


class Handler(http.server.BaseHTTPRequestHandler):
    """GET only: the API server has checked who asks."""

    def do_GET(self) -> None:
        try:
            status, answer = 200, self.answer(urllib.parse.urlsplit(self.path))
        except Exception as error:
            status, answer = 500, {"kind": "Status", "status": "Failure", "message": repr(error)}
        body = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def answer(self, url: urllib.parse.SplitResult) -> dict:
        """``/apis/metrics.k8s.io[/v1beta1[/nodes|/pods|/namespaces/NAME/pods[/POD]]]``."""
        words = url.path.strip("/").split("/")
        if words == ["apis", GROUP]:
            version = {"groupVersion": VERSION, "version": "v1beta1"}
            return {"kind": "APIGroup", "apiVersion": "v1", "name": GROUP, "versions": [version]}
        if words[3:] == []:
            resources = [
                {"name": name, "singularName": "", "namespaced": own, "kind": kind, "verbs": ["get", "list"]}
                for name, (kind, own) in NAMES.items()
            ]
            return {
                "kind": "APIResourceList",
                "apiVersion": "v1",
                "groupVersion": VERSION,
                "resources": resources,
            }
        summary = self.server.summary()
        if words[3] == "nodes":
            node = summary["node"]
            name = {"name": node["nodeName"]}
            items = [entry("NodeMetrics", name, node["cpu"]["time"], usage=usage(node))]
            return {"kind": "NodeMetricsList", "apiVersion": VERSION, "metadata": {}, "items": items}
        namespace = words[4] if words[3] == "namespaces" else ""
        selector = urllib.parse.parse_qs(url.query).get("labelSelector", [""])[0]
        items = pod_metrics(summary, self.server.pods(namespace, selector))
        if words[-1] != "pods":
            return next(item for item in items if item["metadata"]["name"] == words[-1])
        return {"kind": "PodMetricsList", "apiVersion": VERSION, "metadata": {}, "items": items}

    def log_message(self, *_) -> None:
        pass


class Server(http.server.ThreadingHTTPServer):
    def __init__(self, port: int, kubelet: str, certificate: str, kubectl: str):
        super().__init__(("127.0.0.1", port), Handler)
        self.kubelet, self.kubectl = kubelet, kubectl
        own = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        own.load_cert_chain(f"{certificate}.crt", f"{certificate}.key")
        self.socket = own.wrap_socket(self.socket, server_side=True)
        # The kubelet made its certificate itself, on this machine.
        self.shown = ssl._create_unverified_context()
        self.shown.load_cert_chain(f"{certificate}.crt", f"{certificate}.key")

    def summary(self) -> dict:
        # Never by way of a proxy: the kubelet is on this machine.
        direct = urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=self.shown)
        opener = urllib.request.build_opener(*direct)
        with opener.open(f"{self.kubelet}/stats/summary", timeout=5) as response:
            return json.load(response)

    def pods(self, namespace: str, selector: str) -> list[dict]:
        where = ["--namespace", namespace] if namespace else ["--all-namespaces"]
        words = [self.kubectl, "get", "pods", *where, "--selector", selector, "--output", "json"]
        return json.loads(subprocess.run(words, capture_output=True, check=True, timeout=10).stdout)["items"]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--port", type=int, required=True)
    for name in ("kubelet", "certificate", "kubectl"):
        parser.add_argument(f"--{name}", required=True)
    Server(**vars(parser.parse_args())).serve_forever()
