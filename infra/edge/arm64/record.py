"""Record what the same files read on other processors: `infra/edge/arm64/record.py FOLDER [CARDS [SIDE…]]`

This machine's; an older x86-64, which has AVX2 and no instructions for int8 (VNNI); and an arm64, as in
phones. The arm64 side is Debian's Python with ONNX Runtime's own arm64 wheel under qemu-user, unpacked into
FOLDER and never installed; it needs the network once, and Debian's `apt-get` and `dpkg-deb`. qemu computes
what the processor would, instruction by instruction; how long it takes says nothing of one.
"""

import os
import subprocess
import sys
import sysconfig
from concurrent.futures import ThreadPoolExecutor
from importlib import metadata
from pathlib import Path

import numpy as np

from fsdl_deploy import weights
from fsdl_deploy.cards import cards
from fsdl_deploy.measuring import records
from fsdl_deploy.measuring.accuracy import fixed_and_broken
from fsdl_deploy.optimization import quantization
from fsdl_deploy.paths import ROOT
from fsdl_deploy.targets import card_files

READ = ROOT / "infra" / "edge" / "onnxruntime_mobile" / "read.py"
RECORD = Path(__file__).with_name("recorded.json")
CARDS, SEED = 300, 77
OLD = "Haswell-noTSX"  # of 2013: AVX2 multiplies int8 in pairs and lets their sum saturate at 16 bits
LACKS = "-pcid,-x2apic,-tsc-deadline,-invpcid"  # what qemu cannot play, and no program here asks for
PYTHON = "3.11"
PACKAGES = (
    f"python{PYTHON}-minimal", f"libpython{PYTHON}-minimal", f"libpython{PYTHON}-stdlib", "libc6",
    "libstdc++6", "libgcc-s1", "zlib1g", "libexpat1", "libssl3", "libffi8", "libbz2-1.0",
    "liblzma5", "libuuid1",
)  # fmt: skip
# A library that counts the processor's features reads these files, and those of an x86 machine end it.
PROCESSOR = """processor\t: 0
Features\t: fp asimd evtstrm aes pmull sha1 sha2 crc32 atomics fphp asimdhp cpuid asimdrdm lrcpc dcpop asimddp
CPU implementer\t: 0x41
CPU architecture: 8
CPU variant\t: 0x3
CPU part\t: 0xd0c
CPU revision\t: 1

"""
KIND = "neoverse-n1"  # of the processor: qemu's "max" checks pointers by signature, twenty times as slowly


def ran(*command: str | os.PathLike, **settings) -> None:
    subprocess.run([str(word) for word in command], check=True, stdout=subprocess.DEVNULL, **settings)


def fetch(folder: Path) -> None:
    """Unpack qemu, arm64's Python with its libraries, and the wheels, unless they are there."""
    root, site = folder / "root", folder / "site"
    if not (folder / "qemu").exists():
        ran("apt-get", "download", "qemu-user-static", cwd=folder)
        ran("dpkg-deb", "--extract", next(folder.glob("qemu-user-static_*.deb")), folder / "qemu")
    if not root.exists():
        for name in ("lists/partial", "cache/archives/partial"):
            (folder / name).mkdir(parents=True, exist_ok=True)
        own = ["APT::Sandbox::User=root", "APT::Architecture=arm64", "APT::Architectures=arm64"]
        own += [f"Dir::State::Lists={folder / 'lists'}", f"Dir::Cache={folder / 'cache'}"]
        options = [word for setting in own for word in ("-o", setting)]
        ran("apt-get", *options, "update")
        ran("apt-get", *options, "download", *PACKAGES, cwd=folder)
        for file in folder.glob("*_arm64.deb"):
            ran("dpkg-deb", "--extract", file, root)
        numbers = {f"sys/devices/system/cpu/{name}": "0\n" for name in ("possible", "present")}
        for name, text in ({"proc/cpuinfo": PROCESSOR} | numbers).items():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_text(text, encoding="ascii")
    if not site.exists():
        wheels = [f"{name}=={metadata.version(name)}" for name in ("onnxruntime", "numpy", "pillow")]
        uv = Path(sys.executable).with_name("uv")
        kind = ["--python-platform", "aarch64-manylinux_2_28", "--python-version", PYTHON]
        ran(uv, "pip", "install", "--quiet", *kind, "--only-binary", ":all:", "--target", site, *wheels)


def graphs(folder: Path) -> dict[str, Path]:
    """The files that both sides read: float32, and int8 with weights of 7 and of 8 bits."""
    files = {"float32": folder / "float32.onnx"}
    files["float32"].write_bytes(weights.verified("v2.onnx"))
    for bits in (7, 8):
        files[f"int8, weights of {bits} bits"] = folder / f"int8-{bits}.onnx"
        quantization.quantize(
            files["float32"], files[f"int8, weights of {bits} bits"], "static", reduce_range=bits == 7
        )
    return files


def main() -> None:
    folder = Path(sys.argv[1]).resolve()
    count = int(sys.argv[2]) if len(sys.argv) > 2 else CARDS
    folder.mkdir(parents=True, exist_ok=True)
    fetch(folder)
    deck = list(cards(count, "typical", seed=SEED))
    card_files.write_cards(folder / "cards.npz", [card.image for card in deck])
    qemu, root = folder / "qemu/usr/bin", folder / "root"
    sides = {
        "here": ([sys.executable], ""),
        "old": (
            [qemu / "qemu-x86_64-static", "-cpu", f"{OLD},{LACKS}", Path(sys.executable).resolve()],
            _site(),
        ),
        "arm64": (
            [qemu / "qemu-aarch64-static", "-cpu", KIND, "-L", root, root / f"usr/bin/python{PYTHON}"],
            folder / "site",
        ),
    }
    asked = sys.argv[3:] or ["old", "arm64"]
    sides = {side: sides[side] for side in ("here", *asked)}
    rows, truths = [], [card.truth for card in deck]
    for name, file in graphs(folder).items():
        with ThreadPoolExecutor(len(sides)) as pool:
            waiting = {side: pool.submit(_readings, folder, file, side, *how) for side, how in sides.items()}
            readings = {side: future.result() for side, future in waiting.items()}
        for side in asked:
            rows.append(compared(name, file, side, readings["here"], readings[side], truths))
            print(rows[-1], flush=True)
    features = (
        (Path("/proc/cpuinfo").read_text(encoding="utf-8").split("flags", 1)[1]).splitlines()[0].split()
    )
    records.write(
        RECORD, cards=count, seed=SEED, vnni="avx512_vnni" in features or "avx_vnni" in features,
        old=OLD, arm64=KIND, onnxruntime=metadata.version("onnxruntime"), rows=rows,
    )  # fmt: skip


def _site() -> str:
    """Where this Python's packages are: qemu starts the interpreter without its virtual environment."""
    return sysconfig.get_path("purelib")


def _readings(folder: Path, file: Path, side: str, python: list, packages: Path | str) -> list[dict]:
    out = folder / f"{side}.json"
    variables = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, map(str, (packages, ROOT))))}
    ran(*python, READ, file, folder / "cards.npz", out, env=variables)
    return card_files.read_readings(out, len(card_files.read_cards(folder / "cards.npz")))["readings"]


def compared(
    name: str, file: Path, side: str, here: list[dict], there: list[dict], truths: list[str]
) -> dict:
    """How far another processor agrees with this machine's on one file."""
    right = [
        [row["digits"] == truth for row, truth in zip(side, truths, strict=True)] for side in (here, there)
    ]
    confidence = [np.array([row["confidence"] for row in side]) for side in (here, there)]
    fixed, broken = fixed_and_broken(*right)
    return {
        "graph": name,
        "side": side,
        "bytes": file.stat().st_size,
        "other_digits": sum(a["digits"] != b["digits"] for a, b in zip(here, there, strict=True)),
        "other_confidence": int((np.abs(confidence[0] - confidence[1]) > 1e-4).sum()),
        "farthest": float(np.abs(confidence[0] - confidence[1]).max()),
        "right_here": sum(right[0]),
        "right_there": sum(right[1]),
        "fixed": fixed,
        "broken": broken,
    }


if __name__ == "__main__":
    main()
