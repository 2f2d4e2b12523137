"""curl as a client of the service: its command is printed as one types it, and run where curl is"""

import shutil
import subprocess
from collections.abc import Mapping
from typing import NamedTuple

WIDE = 86  # characters of a command; the rest of a longer one is not printed


class CurlAnswer(NamedTuple):
    """How curl ended, 0 where all went well, and what it wrote."""

    status: int
    text: str


def curl(*words: object, names: Mapping[str, str]) -> CurlAnswer | None:
    """Print ``curl --silent WORDS`` and its answer; None after a sentence where this machine has no curl.

    ``names``: what stands in the printed command instead of an address or a path of this machine.
    """
    command = ["curl", "--silent", *map(str, words)]
    line = " ".join(command)
    for text, name in names.items():
        line = line.replace(text, name)
    print(line if len(line) <= WIDE else line[:WIDE] + "…")
    if not shutil.which("curl"):
        print("this machine has no curl: the command was not run")
        return None
    process = subprocess.run(command, capture_output=True, text=True)
    print(process.stdout if not process.returncode else f"curl ended with status {process.returncode}")
    return CurlAnswer(process.returncode, process.stdout)
