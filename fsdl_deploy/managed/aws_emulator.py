"""AWS's API without AWS: moto's server on this machine, which reads none of the user's settings for AWS"""

import contextlib
from collections.abc import Iterator

import httpx2

from fsdl_deploy.running import stations
from fsdl_deploy.running.servers import Server


@contextlib.contextmanager
def emulator(**variables: str) -> Iterator[Server]:
    """moto's server while the ``with`` lasts; ``variables`` are settings of moto's own.

    Raises NotBuilt if the station ``moto`` is not built.
    """
    command = [stations.python("moto"), stations.station("moto").folder / "start.py", "{port}"]
    with Server(command, "/moto-api/", name="moto", env=variables, timeout=180) as server:
        yield server


def forget(address: str) -> None:
    """All that was made in the emulator at this address is gone."""
    httpx2.post(f"{address}/moto-api/reset", trust_env=False, timeout=60).raise_for_status()
