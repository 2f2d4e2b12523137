"""One page of metrics from those of several processes: counters add up, also of processes that have ended

Knows Prometheus' text format as ``prometheus_client`` writes it: a line a sample, without times. Knows
nothing about what is counted.
"""

from collections.abc import Iterable

EARLIEST = ("_created", "_start_time_seconds")
COUNTED = ("counter", "histogram", "summary")


def total(pages: Iterable[bytes]) -> bytes:
    """The sum of pages, sample by sample; of times the earliest, of ``_info`` the one that is there."""
    families: dict[str, dict[str, float]] = {}
    for page in pages:
        for heading, samples in _families(page):
            summed = families.setdefault(heading, {})
            for sample, value in samples:
                summed[sample] = _joined(sample, summed[sample], value) if sample in summed else value
    return _written(families)


def counts(page: bytes) -> bytes:
    """What of a page is still true when its process has ended: what it has counted, not what it has."""
    kept = {heading: dict(samples) for heading, samples in _families(page) if _kind(heading) in COUNTED}
    return _written(kept)


def _joined(sample: str, first: float, second: float) -> float:
    name = sample.partition("{")[0]
    if name.endswith(EARLIEST):
        return min(first, second)
    return max(first, second) if name.endswith("_info") else first + second


def _families(page: bytes) -> list[tuple[str, list[tuple[str, float]]]]:
    """Heading (the lines of HELP and TYPE) and samples, each with its labels and its value."""
    parts: list[tuple[str, list[tuple[str, float]]]] = []
    for line in page.decode().splitlines():
        if line.startswith("# HELP "):
            parts.append((line, []))
        elif line.startswith("# TYPE "):
            heading, samples = parts.pop()
            parts.append((f"{heading}\n{line}", samples))
        elif line:
            sample, _, value = line.rpartition(" ")
            parts[-1][1].append((sample, float(value)))
    return parts


def _kind(heading: str) -> str:
    return heading.rpartition(" ")[2]


def _written(families: dict[str, dict[str, float]]) -> bytes:
    lines = []
    for heading, samples in families.items():
        lines += [heading, *(f"{sample} {value!r}" for sample, value in samples.items())]
    return "".join(f"{line}\n" for line in lines).encode()
