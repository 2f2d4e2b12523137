"""``on_device.py GRAPH CARDS.npz``: a process as small as it gets that reads cards one by one

It prints a line of JSON: seconds until it could read, milliseconds of each card, its peak of memory in MiB,
and the readings. Started in a process of its own, under limits or not; ``limits`` does so.
"""

import json
import sys
import time
from pathlib import Path


def peak() -> float:
    """The most memory (RSS) that this process has had, in MiB."""
    status = Path("/proc/self/status")
    if status.exists():  # getrusage's would be that of whoever started us, where that is more
        lines = dict(line.split(":", 1) for line in status.read_text(encoding="ascii").splitlines())
        return int(lines["VmHWM"].split()[0]) / 2**10
    try:
        import resource
    except ImportError:  # Windows
        import psutil

        return psutil.Process().memory_info().peak_wset / 2**20
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss  # macOS: in bytes
    return most / 2**20


def main(graph: Path, cards: Path) -> None:
    begin = time.perf_counter()
    import onnxruntime

    from fsdl_deploy.targets import card_files, reading_program

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.enable_cpu_mem_arena = False  # it would set aside more than is in use
    session = onnxruntime.InferenceSession(str(graph), options, providers=["CPUExecutionProvider"])
    read = reading_program.whole(
        lambda pictures, widths: session.run(None, {"pictures": pictures, "widths": widths})
    )
    images, took, readings = card_files.read_cards(cards), [], []
    read(images[0])
    started = time.perf_counter() - begin
    for image in images:
        before = time.perf_counter()
        readings.append(read(image)[0])
        took.append(1000 * (time.perf_counter() - before))
    print(json.dumps({"start": started, "ms": took, "peak": peak(), "readings": readings}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
