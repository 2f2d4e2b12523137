"""SageMaker's inference toolkit around our reader: AWS's own handlers and model server, on this machine

Its images have ``/opt/ml/model/code/inference.py`` with our four functions, and answer ``/ping`` and
``/invocations``. Here that folder is a temporary one. In a station, which needs Java.
"""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from fsdl_deploy.running import stations
from fsdl_deploy.running.servers import Server

STATION = "sagemaker_inference"
HANDLER = "inference.py"


def handler() -> Path:
    """The file with our four functions."""
    return stations.station(STATION).folder / HANDLER


def lacks() -> str | None:
    """A sentence about what of this machine's it cannot run without; None where all is there."""
    return stations.station(STATION).lacks()


@contextmanager
def toolkit(workers: int = 1) -> Iterator[Server]:
    """AWS's model server with our reader, for as long as the ``with`` lasts; ready once ``/ping`` says so.

    ``workers``: processes, each with the model. Raises NotBuilt where the station is not built, StationError
    where there is no Java.
    """
    station = stations.station(STATION)
    python = station.python
    if sentence := lacks():
        raise stations.StationError(sentence)
    with TemporaryDirectory(prefix="fsdl-sagemaker-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        code = folder / "model" / "code"
        code.mkdir(parents=True)
        shutil.copy(station.folder / HANDLER, code)
        settings = {
            "SAGEMAKER_BASE_DIR": name,
            "SAGEMAKER_BIND_TO_PORT": "{port}",
            "SAGEMAKER_MODEL_SERVER_WORKERS": str(workers),
            "SAGEMAKER_MODEL_SERVER_VMARGS": "-XX:-UseContainerSupport -XX:-UsePerfData",
            "LOG_LOCATION": str(folder / "logs"),
            "METRICS_LOCATION": str(folder / "logs"),
            **dict.fromkeys(("TEMP", "TMPDIR"), name),  # sockets of its workers, and a note of who runs
        }
        command = [python, station.folder / "start.py", name]
        with Server(command, "/ping", name="SageMaker's toolkit", env=settings, timeout=120) as server:
            yield server
