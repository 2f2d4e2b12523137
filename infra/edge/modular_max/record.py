"""What MAX makes of our graphs, written down: ``record.py SECONDS`` writes recorded.json beside itself.

Run by the station's Python on a quiet machine. Each graph gets so many seconds; a new cache, so that nothing
is taken from an earlier try.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from fsdl_deploy.measuring import records

FILE = Path(__file__).with_name("recorded.json")
GRAPHS = ("head", "convolution", "network")

if __name__ == "__main__":
    program, seconds, attempts = Path(__file__).with_name("graphs.py"), sys.argv[1], []
    for name in GRAPHS:
        with tempfile.TemporaryDirectory() as cache:
            command = [sys.executable, str(program), name, seconds, "--home", cache]
            answer = json.loads(
                subprocess.run(command, capture_output=True, text=True).stdout.splitlines()[-1]
            )
        answer.pop("output", None)
        attempts.append(answer)
    records.write(FILE, seconds=float(seconds), attempts=attempts)
