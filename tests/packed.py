"""What the tests of the packaging tools share: what must hold of the folder that is packed."""

import re
import subprocess
from pathlib import Path

from fsdl_course.setup.stations import ensure
from fsdl_deploy.paths import ROOT
from fsdl_deploy.running.stations import station

ALONE = """
import sys
sys.path[:] = [sys.argv[2], *(place for place in sys.path if place not in ("", sys.argv[1]))]
import fsdl_deploy.reader
from fsdl_deploy.picture import decode
assert fsdl_deploy.reader.__file__.startswith(sys.argv[2])
print(fsdl_deploy.reader.OnnxReader().read([decode(open(sys.argv[3], "rb").read())])[0].digits)
"""


def read_without_the_course(tool: str, packages: Path, card: Path) -> str:
    """Digits on ``card``, read in the station of ``tool`` by the fsdl_deploy in ``packages``."""
    command = [ensure(tool), "-c", ALONE, ROOT, packages, card]
    process = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert process.returncode == 0, process.stderr[-3000:]
    return process.stdout.strip()


def locked(tool: str) -> set[str]:
    """``name==version`` of everything in the station's lock."""
    return set(re.findall(r"^[\w.-]+==[\w.]+", station(tool).lock.read_text(), re.MULTILINE))
