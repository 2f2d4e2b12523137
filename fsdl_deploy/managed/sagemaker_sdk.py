"""SageMaker's Python SDK of today, in its station, as a process beside a notebook: what each step came to

It is given a home of its own, credentials of nobody, the addresses of this machine, and a proxy that leads
nowhere: what it would ask of AWS cannot leave this machine.
"""

import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from fsdl_deploy.managed.sagemaker_clients import REGION
from fsdl_deploy.managed.sagemaker_local import LocalCloud
from fsdl_deploy.measuring.table import Table
from fsdl_deploy.running import stations

STATION = "sagemaker_sdk"
NOWHERE = "http://127.0.0.1:9"  # no program listens there
_KEPT = ("PATH", "SYSTEMROOT", "LANG", "PYTHONPATH")


@dataclass(frozen=True)
class SdkStep:
    """A step of the flow: whether it ``went``, what it gave or what was wrong, and how long it took."""

    name: str
    went: bool
    words: str
    seconds: float


class SdkFlow:
    """The flow, started at once; ``steps()`` waits for its end. ``card``: an encoded picture."""

    def __init__(self, cloud: LocalCloud, card: bytes):
        station = stations.station(STATION)
        python = station.python
        self._folder = TemporaryDirectory(prefix="fsdl-sdk-", ignore_cleanup_errors=True)
        picture = Path(self._folder.name) / "card.png"
        picture.write_bytes(card)
        words = [python, station.folder / "flow.py", cloud.plane.url, cloud.router.url, picture]
        self._process = subprocess.Popen(
            words,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env=surroundings(station.folder, self._folder.name, cloud),
        )

    def steps(self, seconds: float = 240) -> list[SdkStep]:
        """All steps. Raises TimeoutError where it takes longer, and ends it then."""
        try:
            printed, _ = self._process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            raise TimeoutError(f"SageMaker's SDK has not come to its end in {seconds:g} s") from None
        finally:
            self.stop()
        return [SdkStep(**json.loads(line)) for line in printed.splitlines() if line.startswith("{")]

    def stop(self) -> None:
        """End it where it still runs."""
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()
        self._folder.cleanup()


def surroundings(folder: Path, home: str, cloud: LocalCloud) -> dict[str, str]:
    """The variables of the SDK's process: none of this machine's own but those that every program needs."""
    kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
    return kept | {
        "HOME": home,
        "USERPROFILE": home,
        "TMPDIR": home,
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ENDPOINT_URL": cloud.plane.url,
        "AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME": cloud.router.url,
        "SAGEMAKER_VALIDATE_ROLE": "false",  # it would ask IAM, where moto has no answer
        "SAGEMAKER_USER_CONFIG_OVERRIDE": str(folder / "telemetry.yaml"),
        "HTTPS_PROXY": NOWHERE,
        "NO_PROXY": "127.0.0.1,localhost",
    }


def table(steps: list[SdkStep], width: int = 150) -> Table:
    """The steps, for a notebook to show."""
    rows = [[step.name, "yes" if step.went else "no", step.words[:width]] for step in steps]
    return Table(["step", "went", "what it gave, or said"], *rows)
