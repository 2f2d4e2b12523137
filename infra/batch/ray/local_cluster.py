"""A Ray cluster of this machine's cores, for this machine only: python local_cluster.py --port PORT

Runs until it is stopped (SIGTERM, Ctrl-C). Knows nothing of what runs on it; ``local.env`` holds what it
and its clients must both be told.
"""

import argparse
import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

from fsdl_deploy.machine import usable_cores
from fsdl_deploy.servers import HOST, free_port

LONGEST = 44  # a socket's path has at most 107 bytes, and Ray adds 62 to its folder


def settings() -> dict[str, str]:
    """The variables of ``local.env``."""
    lines = (Path(__file__).parent / "local.env").read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


def command(port: int, cores: int, folder: str, memory: int) -> list[str]:
    """``ray start`` with everything below ``folder``, nothing but loopback, no page, no autoscaler."""
    options = {
        "port": port,
        "num-cpus": cores,
        "node-ip-address": HOST,
        "temp-dir": folder,
        "plasma-directory": folder,  # not /dev/shm, which is small in a container
        "object-store-memory": memory,
        "include-dashboard": "false",
        "include-log-monitor": "false",
        # Ports that are named, since for a port that an agent finds for itself the raylet waits 15 s and
        # no longer: too short on a busy machine.
        "dashboard-agent-grpc-port": free_port(),
        "dashboard-agent-listen-port": free_port(),
        "runtime-env-agent-port": free_port(),
        "metrics-export-port": free_port(),
    }
    words = [f"--{name}={value}" for name, value in options.items()]
    return [sys.executable, "-m", "ray.scripts.scripts", "start", "--head", "--block", "--no-monitor", *words]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--cores", type=int, default=max(1, round(usable_cores())))
    parser.add_argument("--object-store", type=int, default=100, help="MB of memory (default 100)")
    args = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    where = None if len(tempfile.gettempdir()) + len("/rayxxxxxxxx") <= LONGEST else "/tmp"
    with tempfile.TemporaryDirectory(prefix="ray", dir=where, ignore_cleanup_errors=True) as folder:
        words = command(args.port, args.cores, folder, args.object_store * 10**6)
        ray = subprocess.Popen(words, env=os.environ | settings())
        try:
            return ray.wait()
        finally:
            ray.terminate()
            ray.wait()


if __name__ == "__main__":
    sys.exit(main())
