"""``duty_cycle.py PID SHARE PERIOD``: lets a process run for its share of each period, no longer

Started by ``shares`` as a process of its own, since a busy notebook would not keep time. It ends with the
process or by SIGTERM, and lets it run then.
"""

import os
import signal
import sys
import time
from contextlib import suppress


def take_turns(pid: int, share: float, period: float) -> None:
    """Until the process is gone."""
    with suppress(ProcessLookupError):
        try:
            while True:
                os.kill(pid, signal.SIGCONT)
                time.sleep(share * period)
                os.kill(pid, signal.SIGSTOP)
                time.sleep((1 - share) * period)
        finally:
            os.kill(pid, signal.SIGCONT)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    take_turns(int(sys.argv[1]), float(sys.argv[2]), float(sys.argv[3]))
