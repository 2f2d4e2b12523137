"""How fast this machine is just now: a plain reading of a card, again and again, in a process of its own.

The service and the clients cannot slow it down by what they ask of the grader, and it shares no core with the
service where there are two. ``python -m fsdl_course.capstone.pace SEED`` writes a line of JSON for each.
"""

import base64
import json
import subprocess
import sys
import threading
import time

from fsdl_course.capstone.history import History
from fsdl_deploy.paths import ROOT

EVERY = 0.6  # seconds from one reading to the next


def main(argv: list[str]) -> int:
    """Read the same card until nobody listens: ``ms`` by the clock, ``cpu_ms`` of processor time."""
    from fsdl_course.capstone import generator
    from fsdl_deploy.picture import decode
    from fsdl_deploy.reader import OnnxReader

    reader = OnnxReader("v1")
    text = base64.b64encode(generator.pictures(int(argv[0]), 1)[0])
    reader.read([decode(base64.b64decode(text))])
    while True:
        clock, processor = time.perf_counter(), time.process_time()
        reader.read([decode(base64.b64decode(text))])
        times = {"ms": time.perf_counter() - clock, "cpu_ms": time.process_time() - processor}
        try:
            print(json.dumps({name: round(1000 * value, 3) for name, value in times.items()}), flush=True)
        except BrokenPipeError:
            return 0
        time.sleep(EVERY)


class Pace:
    """``with Pace(history, seed) as pace``: from ``pace.record()`` on, an event for each reading."""

    def __init__(self, history: History, seed: int):
        self.history, self.seed, self.recording = history, seed, threading.Event()

    def __enter__(self) -> "Pace":
        command = [sys.executable, "-m", "fsdl_course.capstone.pace", str(self.seed)]
        self.process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
        self.process.stdout.readline()  # it has loaded: that is not to slow the service's start
        self.thread = threading.Thread(target=self._listen, daemon=True)
        self.thread.start()
        return self

    def __exit__(self, *_) -> None:
        self.process.kill()
        self.process.wait()
        self.thread.join()
        self.process.stdout.close()

    def record(self) -> None:
        """The load has begun: from now on readings count."""
        self.recording.set()

    def _listen(self) -> None:
        for line in self.process.stdout:
            if self.recording.is_set():
                self.history.add("reference", **json.loads(line))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
