"""What happened in a trial, a line of JSON for each event, written as it happens and read afterwards."""

import json
import threading
import time
from pathlib import Path


class History:
    """Appends events, with the seconds since the load began; safe from any thread."""

    def __init__(self, file: Path):
        self.file = file.open("w", encoding="utf-8")
        self.lock = threading.Lock()
        self.zero = time.monotonic()

    def begin(self) -> None:
        """The load begins now: events before have negative times only if ``add`` came later."""
        self.zero = time.monotonic()

    def now(self) -> float:
        """Seconds since the load began."""
        return time.monotonic() - self.zero

    def add(self, what: str, **fields) -> None:
        """Write one event."""
        line = json.dumps({"t": round(self.now(), 4), "what": what, **fields})
        with self.lock:
            if not self.file.closed:
                self.file.write(line + "\n")
                self.file.flush()

    def close(self) -> None:
        """No event after this one."""
        with self.lock:
            self.file.close()


def read(file: Path) -> list[dict]:
    """The events in the order in which they were written; a last line that was cut off is left out."""
    events = []
    for line in file.read_text(encoding="utf-8").splitlines():
        try:
            events.append(json.loads(line))
        except ValueError:
            break
    return events
