"""Try the firmware: ``try_board.py CARDS.npz [--ram 128K]`` prints what a Cortex-M4 and this machine read.

It generates, compiles and links the firmware anew; with ``--ram`` for a board with another amount of it,
where the linker may refuse. Each card is read by TensorFlow Lite for Microcontrollers here, and by the
firmware on QEMU's board with its instructions counted.
"""

import argparse
import json
import tempfile
import time
from pathlib import Path

import board
import generate
import network_file
import numpy as np
from tflite_micro import runtime

from build import FIRMWARE, NETWORK, compile_firmware
from fsdl_deploy.targets import card_files, integers, plain


def with_ram(ram: str, folder: Path) -> Path:
    """The linker's script of a board with so much RAM."""
    text = (FIRMWARE / "board.ld").read_text(encoding="utf-8")
    if not ram:
        return FIRMWARE / "board.ld"
    script = folder / "board.ld"
    script.write_text(text.replace("LENGTH = 256K", f"LENGTH = {ram}"), encoding="utf-8")
    return script


def inks(images: list[np.ndarray]) -> list[np.ndarray]:
    """Pictures as the network takes them: int8, filled up with paper."""
    _, source, _ = network_file.read_network(NETWORK.read_bytes())
    ink = integers.Encoding(source.shape, source.scale, source.zero)
    columns = source.shape[3]
    prepared = (plain.ink(image)[0] for image in images)
    return [ink.encoded(np.pad(card, ((0, 0),) * 3 + ((0, columns - card.shape[3]),))) for card in prepared]


def on_this_machine(cards: list[np.ndarray]) -> list[np.ndarray]:
    """The logits int8 that the interpreter gives, of each card."""
    interpreter = runtime.Interpreter.from_bytes(NETWORK.read_bytes(), arena_size=1 << 19)
    logits = []
    for card in cards:
        interpreter.set_input(card, 0)
        interpreter.invoke()
        logits.append(interpreter.get_output(0)[0].copy())
    return logits


def sections(firmware: Path) -> dict[str, int]:
    """Bytes in the flash and in the RAM, by the headers of the ELF file's segments."""
    data = firmware.read_bytes()
    start, count = int.from_bytes(data[28:32], "little"), int.from_bytes(data[44:46], "little")
    headers = [np.frombuffer(data, "<u4", 8, start + 32 * place) for place in range(count)]
    loaded = [header for header in headers if header[0] == 1]
    flash = sum(int(header[4]) for header in loaded)
    return {"flash": flash, "ram": sum(int(header[5]) for header in loaded if header[2] >= 0x20000000)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("cards", type=Path, help="pictures in an .npz file")
    parser.add_argument("--ram", default="", help="of the board, as a linker takes it: 128K")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        begin = time.perf_counter()
        report = generate.generate(NETWORK, folder)
        source = (folder / "network.c").read_text(encoding="utf-8")
        try:
            compile_firmware(folder, folder / "reader.elf", with_ram(args.ram, folder))
        except RuntimeError as error:
            print(json.dumps({"refused": str(error).splitlines()}))
            return
        report |= {
            "seconds": time.perf_counter() - begin,
            "calls": source[source.index("const int8_t *run_") :],
        }
        report |= sections(folder / "reader.elf")
        cards = inks(card_files.read_cards(args.cards))
        printed = board.run(folder / "reader.elf", cards, count=True)
    report["cards"] = [
        {
            "digits": card.digits,
            "same": bool(np.array_equal(card.logits, logits)),
            "instructions": card.instructions,
        }
        for card, logits in zip(printed, on_this_machine(cards), strict=True)
    ]
    print(json.dumps(report))


if __name__ == "__main__":
    main()
