"""A board that QEMU makes: ARM's MPS2 with a Cortex-M4; the firmware reads ink that lies in its memory."""

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

CARDS = 0x21000000  # where the firmware looks for its cards: as many as there are, and then their ink
NANOSECONDS = 40  # of a tick of the board's timer, 25 MHz; with icount each instruction takes one
SECONDS = 120.0  # that a run may take


@dataclass(frozen=True)
class Printed:
    """What the firmware printed of a card: digits, logits int8 ``[steps, 11]``, and the timer's ticks."""

    digits: str
    logits: np.ndarray
    ticks: int

    @property
    def instructions(self) -> int:
        """How many were executed, to ``NANOSECONDS``; without ``count`` it means nothing."""
        return self.ticks * NANOSECONDS


def emulator() -> list[str]:
    """QEMU out of the station, for this board without any of its plugs."""
    program = Path(sys.prefix) / "debian" / "usr" / "bin" / "qemu-system-arm"
    return [
        str(program),
        "-M",
        "mps2-an386",
        "-display",
        "none",
        "-monitor",
        "none",
        "-serial",
        "none",
        "-nic",
        "none",
    ]


def run(firmware: Path, ink: Sequence[np.ndarray], count: bool = False) -> list[Printed]:
    """Boot the firmware with these cards, int8 of one size each; what it printed of them, in their order.

    ``count``: QEMU's clock goes by instructions, which takes twice as long. Raises RuntimeError where it
    printed of fewer cards, as after a fault.
    """
    libraries = Path(sys.prefix) / "debian" / "usr" / "lib"
    folders = [
        str(file) for file in (*libraries.glob("*-linux-gnu"), *(libraries.parents[1] / "lib").glob("*-gnu"))
    ]
    environ = {**os.environ, "LD_LIBRARY_PATH": os.pathsep.join(folders)}
    with tempfile.TemporaryDirectory() as temporary:
        memory = Path(temporary) / "cards.bin"
        memory.write_bytes(np.uint32(len(ink)).tobytes() + b"".join(card.tobytes() for card in ink))
        command = [
            *emulator(), *(["-icount", "shift=0"] if count else []),
            "-chardev", "stdio,id=out", "-semihosting-config", "enable=on,target=native,chardev=out",
            "-device", f"loader,file={memory},addr={CARDS},force-raw=on", "-kernel", str(firmware),
        ]  # fmt: skip
        process = subprocess.run(
            command, capture_output=True, text=True, env=environ, timeout=SECONDS, stdin=subprocess.DEVNULL
        )
    printed = [
        Printed(digits, np.frombuffer(bytes.fromhex(logits), np.int8).reshape(-1, 11), int(ticks, 16))
        for digits, ticks, logits in re.findall(
            r"^(\d*) ([0-9a-f]{6}) ([0-9a-f]+)$", process.stdout, re.MULTILINE
        )
    ]
    if len(printed) != len(ink):
        words = (process.stderr + process.stdout)[-300:].strip()
        raise RuntimeError(f"the firmware read {len(printed)} of {len(ink)} cards: {words}")
    return printed
