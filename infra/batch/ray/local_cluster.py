"""A Ray cluster of this machine's cores, for this machine only: python local_cluster.py --port PORT

Runs until it is stopped (SIGTERM, Ctrl-C). ``ray_current_cluster`` appears in its folder once it is ready.
``local.env`` holds what the cluster and its clients must both be told. Knows nothing of what runs on it.
"""

import argparse
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from fsdl_deploy.measuring.machine import whole_cores
from fsdl_deploy.running import stations
from fsdl_deploy.running.ports import HOST, free_port

ATTEMPTS = 3  # Ray gives a start 30 s, which no setting changes, and which a busy machine may need
LONGEST = 44  # bytes: a socket's path has at most 107, and Ray adds 62 to its folder and a zero


def settings() -> dict[str, str]:
    """The variables of ``local.env``."""
    return stations.settings(Path(__file__).parent / "local.env")


def command(port: int, cores: int, folder: str, memory: int) -> list[str]:
    """``ray start`` with everything in ``folder``, nothing but loopback, no page, no autoscaler."""
    options = {
        "port": port,
        "num-cpus": cores,
        "node-ip-address": HOST,
        "temp-dir": folder,
        "plasma-directory": folder,  # not /dev/shm, which is small in a container
        "object-store-memory": memory,
        "include-dashboard": "false",
        "include-log-monitor": "false",
        # Ports that are named: for one that an agent finds for itself the raylet waits 15 s, then it dies.
        "dashboard-agent-grpc-port": free_port(),
        "dashboard-agent-listen-port": free_port(),
        "runtime-env-agent-port": free_port(),
        "metrics-export-port": free_port(),
    }
    words = [f"--{name}={value}" for name, value in options.items()]
    return [sys.executable, "-m", "ray.scripts.scripts", "start", "--head", "--block", "--no-monitor", *words]


@contextmanager
def place(folder: str | None) -> Iterator[str]:
    """A folder for sockets, logs and objects: the given one, or one that goes away again."""
    if folder is not None:
        if len(os.fsencode(os.path.abspath(folder))) > LONGEST:
            sys.exit(f"{folder} is too long for the paths of sockets: at most {LONGEST} bytes")
        yield os.path.abspath(folder)
        return
    short = len(os.fsencode(tempfile.gettempdir())) + len("/rayxxxxxxxx") <= LONGEST
    with tempfile.TemporaryDirectory(
        prefix="ray", dir=None if short else "/tmp", ignore_cleanup_errors=True
    ) as temporary:
        yield temporary


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--cores", type=int, default=whole_cores())
    parser.add_argument("--folder", help="for sockets, logs and objects (default: a temporary one)")
    parser.add_argument("--object-store", type=int, default=100, help="MB of memory (default 100)")
    args = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    with place(args.folder) as folder:
        for attempt in range(ATTEMPTS):
            status = serve(command(args.port, args.cores, folder, args.object_store * 10**6))
            if Path(folder, "ray_current_cluster").exists():
                break
            print(f"Ray did not start (attempt {attempt + 1} of {ATTEMPTS})\n{raylet(folder)}", flush=True)
        return status


def serve(words: list[str]) -> int:
    """Run until it ends, or until this program is told to."""
    ray = subprocess.Popen(words, env=os.environ | settings())
    try:
        return ray.wait()
    finally:
        ray.terminate()
        ray.wait()


def raylet(folder: str) -> str:
    """The end of what the raylet wrote: why a start failed stands nowhere else."""
    with suppress(OSError):
        lines = Path(folder, "session_latest", "logs", "raylet.out").read_text(errors="replace").splitlines()
        return "\n".join(lines[-10:])
    return "and left no log"


if __name__ == "__main__":
    sys.exit(main())
