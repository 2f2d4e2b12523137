"""The reader behind Ray Serve, on a Ray of this machine: python serve.py --port PORT --max-batch 16

What runs stands in a document (``document``), which the dashboard takes; the variable ``DASHBOARD_PORT`` says
on which port. A changed document that is sent there changes what runs. Ends on SIGTERM, with all of Ray.
"""

import json
import os
import signal
import sys
import tempfile
import threading
import urllib.request
from pathlib import Path

from fsdl_deploy.running.ports import HOST, free_port
from fsdl_deploy.running.serve_options import options

HERE = Path(__file__).resolve().parent
LOCAL_ENV = HERE.parent.parent / "batch" / "ray" / "local.env"  # what Ray is told on one machine


def document(port: int, max_batch: int, delay_ms: float) -> dict:
    """One application with one deployment, of which one replica runs."""
    deployment = {
        "name": "MeterReader",
        "num_replicas": 1,
        "max_ongoing_requests": 100,
        "ray_actor_options": {"num_cpus": 0.3},  # for Ray's book-keeping: two fit beside Ray's own parts
        "user_config": {"max_batch": max_batch, "delay_ms": delay_ms},
    }
    reader = {"name": "reader", "route_prefix": "/", "import_path": "reader_app:app"}
    reader["deployments"] = [deployment]
    settings = {"http_options": {"host": HOST, "port": port}, "applications": [reader]}
    return settings | {"logging_config": {"enable_access_log": False}}  # a line for each request is costly


def deploy(dashboard: int, config: dict) -> None:
    """Send the document. It holds some time after this returns."""
    url = f"http://{HOST}:{dashboard}/api/serve/applications/"
    kind = {"Content-Type": "application/json"}
    request = urllib.request.Request(url, json.dumps(config).encode(), kind, method="PUT")
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    direct.open(request, timeout=60).close()


def main() -> None:
    args = options(__doc__.splitlines()[0])
    lines = LOCAL_ENV.read_text(encoding="utf-8").splitlines()
    os.environ |= dict(line.split("=", 1) for line in lines if not line.startswith("#"))
    os.environ["PYTHONPATH"] = str(HERE)  # where the replicas find ``reader_app``
    import ray
    from ray import serve

    end = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    dashboard = int(os.environ.get("DASHBOARD_PORT", 0)) or free_port()
    short = "/tmp" if os.name == "posix" else None  # the paths of sockets have their limit
    with tempfile.TemporaryDirectory(prefix="ray", dir=short, ignore_cleanup_errors=True) as folder:
        try:
            ray.init(
                num_cpus=2,
                dashboard_host=HOST,
                dashboard_port=dashboard,
                object_store_memory=100 * 10**6,
                log_to_driver=False,
                _node_ip_address=HOST,
                _temp_dir=folder,
                _plasma_directory=folder,
                _metrics_export_port=free_port(),
            )
            # Only now, since Ray sets a handler of its own, which would leave the folder behind.
            signal.signal(signal.SIGTERM, lambda *_: end.set())
            serve.start(http_options={"host": HOST, "port": args.port})
            deploy(dashboard, document(args.port, args.max_batch, args.delay_ms))
            end.wait()
            serve.shutdown()
        finally:
            ray.shutdown()  # also of a start that failed: what still runs would fill the folder again


if __name__ == "__main__":
    main()
