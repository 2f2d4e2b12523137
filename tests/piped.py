"""A program whose output goes into a pipe that nobody reads, as when `head` has seen enough."""

import os
import subprocess


def to_nobody(command: list[str], **options) -> subprocess.CompletedProcess:
    """Run the command; its standard output breaks at once, its stderr is kept as text."""
    reading, writing = os.pipe()
    os.close(reading)
    try:
        return subprocess.run(
            command, stdout=writing, stderr=subprocess.PIPE, text=True, timeout=120, **options
        )
    finally:
        os.close(writing)
