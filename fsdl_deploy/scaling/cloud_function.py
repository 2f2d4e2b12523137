"""Google's function on this machine: the folder that is uploaded, and Google's own framework that serves it

In the cloud the framework runs in each instance, as it runs here; what starts and ends instances, sends them
requests and makes an image of the folder is Google's. The function is ``infra/scaling/cloud_functions``.
"""

import shutil
import uuid
from datetime import UTC, datetime
from pathlib import Path

from fsdl_deploy.packaging.build_context import copy_reader
from fsdl_deploy.reader import LATEST
from fsdl_deploy.running import stations
from fsdl_deploy.running.ports import HOST
from fsdl_deploy.running.servers import Server

STATION = "cloud_functions"
ARRIVED = "google.cloud.storage.object.v1.finalized"


def source(to: Path, version: str = LATEST) -> Path:
    """Make the folder that is uploaded: the function, its requirements with their hashes, reader and model.

    The packages themselves are not in it: Google installs them into an image, once for each version.
    """
    station = stations.station(STATION)
    copy_reader(to, version)
    shutil.copyfile(station.folder / "main.py", to / "main.py")
    shutil.copyfile(station.lock, to / "requirements.txt")
    return to


def serve(target: str, folder: Path | None = None, **variables: object) -> Server:
    """Google's framework around a function of ``main.py``: a Server that is not started yet.

    ``folder``: a source folder; without one the function of the course. ``variables``: what the environment
    has beside this process's own, such as ``THREADS=8``, the requests that the instance answers at once, or
    ``BUCKETS``, the folder with the buckets.
    """
    station = stations.station(STATION)
    place = folder or station.folder
    command = [station.python, "-m", "functions_framework", "--target", target, "--source", place / "main.py"]
    env = {name: str(value) for name, value in variables.items()}
    if folder is not None:
        env["PYTHONPATH"] = str(folder)  # its own reader, not the one of the clone
    command += ["--host", HOST, "--port", "{port}"]
    return Server(command, None, name=target, env=env, cwd=place, timeout=120)


def arrival(bucket: str, name: str) -> tuple[dict[str, str], dict[str, str]]:
    """The event of an object that has arrived in a bucket, as a CloudEvent over HTTP: headers, and a body."""
    headers = {
        "ce-specversion": "1.0",
        "ce-id": uuid.uuid4().hex,
        "ce-type": ARRIVED,
        "ce-source": f"//storage.googleapis.com/projects/_/buckets/{bucket}",
        "ce-subject": f"objects/{name}",
        "ce-time": datetime.now(UTC).isoformat(),
    }
    return headers, {"bucket": bucket, "name": name}
