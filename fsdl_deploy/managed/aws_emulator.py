"""AWS's API without AWS: moto's server on this machine, which reads none of the user's settings for AWS"""

import contextlib
import os
import tempfile
from collections.abc import Iterator

from fsdl_deploy.running import stations
from fsdl_deploy.running.servers import Server


@contextlib.contextmanager
def emulator(**variables: str) -> Iterator[Server]:
    """moto's server while the ``with`` lasts; ``variables`` are settings of moto's own.

    Raises NotBuilt if the station ``moto`` is not built.
    """
    command = [stations.python("moto"), "-m", "moto.server", "-H", "127.0.0.1", "-p", "{port}"]
    with tempfile.TemporaryDirectory(prefix="fsdl-moto-") as home:
        blind = {"HOME": home, "USERPROFILE": home}  # moto uses AWS's library, too, and that looks there
        blind |= dict.fromkeys(("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"), os.devnull)
        with Server(command, "/moto-api/", name="moto", env=blind | variables, timeout=180) as server:
            yield server
