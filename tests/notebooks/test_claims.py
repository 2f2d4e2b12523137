"""What lessons say of a record in words the record bears out: else the sentence must change."""

import pytest

from fsdl_course.notebooks import conversion, percent, recorded
from fsdl_course.notebooks.record_lookup import Records
from fsdl_deploy.managed import hosting
from fsdl_deploy.managed.break_even import crossings
from fsdl_deploy.managed.month import Month
from fsdl_deploy.managed.shapes import shapes
from fsdl_deploy.measuring import records
from fsdl_deploy.measuring.accuracy import paired_p
from fsdl_deploy.paths import ROOT
from fsdl_deploy.scaling import cluster_trial, orchestrators

OPTIMIZATION, SERVING, QUANTIZATION = "05_optimization", "06_serving_libraries", "tools/quantization"
SCALING, COSTS = "07_scaling", "09b_managed_costs"
LIBRARIES = ("our service", "BentoML", "KServe", "LitServe", "MLServer", "Ray Serve", "TorchServe", "Triton")


def of(name: str, *words: str):
    return recorded.figure(name, list(words), ROOT / conversion.RECORDS)


def rate(library: str, users: str) -> float:
    return of("served", library, users, "per_second")


def rank(users: str) -> list[str]:
    """The libraries, the fastest first."""
    return sorted(LIBRARIES, key=lambda library: -rate(library, users))


def least(what: str, users: str) -> str:
    return min(LIBRARIES, key=lambda library: of("served", library, users, what))


def spread_of_sizes() -> int:
    rows = Records(ROOT / conversion.RECORDS).read("sizes")["students"]
    alone = [row["right"] for row in rows if not row["taught"]]
    return max(alone) - min(alone)


def taught(what: str) -> list:
    """What teaching did to the students, the smallest first."""
    return [of("taught", size, what) for size in ("smallest", "middle", "largest")]


def rungs() -> list[dict]:
    return Records(ROOT / conversion.RECORDS).read("ladder")["rungs"]


def intervals_overlap() -> bool:
    rows = Records(ROOT / conversion.RECORDS).read("quantization")["rows"]
    return max(row["interval"][0] for row in rows) <= min(row["interval"][1] for row in rows)


def broken(way: str) -> tuple[str, int]:
    """How an update to a version that does not start ended, and how many copies were left of the old one."""
    (row,) = (row for row in records.read(orchestrators.RECORD)["ways"] if row["name"] == way)
    return row["broken"]["ended"], row["broken"]["left"]


def office_month() -> Month:
    """The lesson's month, with cards in office hours."""
    return Month.recorded(5_000_000, shapes()["office"].peak)


CLAIMS = {
    "The *cascade* gives the teacher's accuracy back": (
        OPTIMIZATION,
        lambda: (
            of("rung", "cascade", "share") >= of("rung", "distilled", "share")
            and paired_p(of("rung", "cascade", "fixed"), of("rung", "cascade", "broken")) > 0.05
        ),
    ),
    "Above that, threads only wait for each other": (
        OPTIMIZATION,
        lambda: of("climb", "a worker a core", "teacher padded") > 2,
    ),
    "Size matters more than teaching": (
        OPTIMIZATION,
        lambda: spread_of_sizes() / of("size_cards") > max(abs(points) for points in taught("points")) / 50,
    ),
    "Dynamic quantization changes matrix products only, so it gains less than static quantization": (
        OPTIMIZATION,
        lambda: of("climb", "int8 static", "int8 dynamic") > 1.2,
    ),
    "the file is smaller, the service is not faster": (
        OPTIMIZATION,
        lambda: (
            of("rung", "distilled int8 static", "file") < 0.7 * of("rung", "distilled", "file")
            and of("climb", "distilled int8 static", "distilled") < 1.1
        ),
    ),
    "**float16** halves the file": (
        OPTIMIZATION,
        lambda: 0.45 < of("rung", "float16", "file") / of("rung", "graph optimisations", "file") < 0.55,
    ),
    "not one card changes is no surprise": (
        OPTIMIZATION,
        lambda: all(
            of("rung", "float16", what) == of("rung", "graph optimisations", what)
            for what in ("right", "fixed", "broken")
        ),
    ),
    "torch's file of the teacher is half of ONNX's": (
        OPTIMIZATION,
        lambda: 0.4 < of("rung", "teacher padded", "file") / of("rung", "graph optimisations", "file") < 0.6,
    ),
    "The lecture's *limited accuracy loss* is true here": (
        OPTIMIZATION,
        lambda: of("rung", "graph optimisations", "share") - of("rung", "int8 static", "share") < 0.01,
    ),
    "with two workers about half of the uploads are answered from memory": (
        OPTIMIZATION,
        lambda: (
            0.4 < of("rung", "cache", "hit_rate") < 0.6
            and of("rung", "same card", "hit_rate") > of("rung", "cache", "hit_rate")
        ),
    ),
    "The intervals of all rows overlap": (QUANTIZATION, intervals_overlap),
    "With one reader each, **Triton leads**": (
        SERVING,
        lambda: all(rank(users)[0] == "Triton" for users in ("1", "8", "32")),
    ),
    "with 32 the two are nearly level": (
        SERVING,
        lambda: (
            rank("32")[:2] == ["Triton", "our service"] and of("ahead", "Triton", "our service", "32") < 0.05
        ),
    ),
    "It needs the least processor time for a card": (
        SERVING,
        lambda: all(least("cpu_ms", users) == "Triton" for users in ("1", "8", "32")),
    ),
    "the short ways through one process (ours, KServe's) come next": (
        SERVING,
        lambda: set(rank("1")[1:3]) == {"our service", "KServe"},
    ),
    "With 8 and with 32 callers ours is the second; Triton's lead over the next library, TorchServe": (
        SERVING,
        lambda: rank("8")[1] == rank("32")[1] == "our service" and rank("32")[2] == "TorchServe",
    ),
    "at `80 %` of Triton's best rate: half of Triton's answers come within": (
        SERVING,
        lambda: all(
            of("at_the_best", "Triton", what) < of("at_the_best", "our service", what)
            for what in ("p50", "p99")
        ),
    ),
    "Ours needs the least memory": (
        SERVING,
        lambda: least("memory", "1") == least("memory", "32") == "our service",
    ),
    "KServe makes no batches, so its factor is the noise": (
        SERVING,
        lambda: abs(of("batched", "KServe")) < 0.1,
    ),
    "TorchServe gains most": (
        SERVING,
        lambda: (
            of("batched", "TorchServe")
            > max(of("batched", each) for each in ("Ray Serve", "LitServe", "Triton", "our service"))
        ),
    ),
    "A batcher of your own can keep up": (
        SERVING,
        lambda: of("batched", "our service") > 0.9 * of("batched", "Triton") > 0,
    ),
    "A second reader on top of the batcher changes it by": (
        SERVING,
        lambda: (
            max(of("web_ahead", two, "batcher") for two in ("two readers", "two processes"))
            < of("web_ahead", "bytes", "asyncio and h11")
            < of("web_ahead", "batcher", "bytes")
        ),
    ),
    "The loop and the parser in C save": (
        SERVING,
        lambda: (
            min(
                of("web_spared", "httptools", "asyncio and h11"),
                of("web_spared", "bytes", "httptools"),
                of("web_spared", "batcher", "bytes"),
            )
            > 0
        ),
    ),
    "and gRPC instead of": (SERVING, lambda: of("web_spared", "gRPC", "bytes") > 0.05),
    "Our loop stops at the first copy that does not start, and one is missing": (
        SCALING,
        lambda: broken("processes and nginx")[1] == orchestrators.COPIES - 1,
    ),
    "a broken version leaves none": (SCALING, lambda: broken("compose")[1] == 0),
    "replaces one after another and goes *back by itself*": (
        SCALING,
        lambda: broken("Docker Swarm") == ("rollback_completed", orchestrators.COPIES),
    ),
    "Kubernetes stops and keeps the old copies": (
        SCALING,
        lambda: broken("Kubernetes")[0] != "" and broken("Kubernetes")[1] == orchestrators.COPIES,
    ),
    "Fargate has more than one point": (
        COSTS,
        lambda: len(crossings(hosting.LAMBDA, hosting.FARGATE, office_month())) > 1,
    ),
    "does the same to clients when it replaces a copy": (
        SCALING,
        lambda: cluster_trial.recorded()["kept"]["reopened"] > cluster_trial.recorded()["new"]["reopened"],
    ),
}


@pytest.mark.parametrize("sentence", CLAIMS)
def test_the_record_bears_out_what_the_lesson_says(sentence):
    name, holds = CLAIMS[sentence]
    cells = percent.cells((ROOT / "notebooks" / "source" / f"{name}.py").read_text(encoding="utf-8"))
    prose = " ".join(" ".join(cell.source.split()) for cell in cells if cell.kind == "markdown")
    assert sentence in prose, "the lesson does not say this any more: remove it here"
    assert holds(), "the record does not bear this out: change the lesson"


def test_each_model_is_what_its_card_says_of_it():
    def right(version, level="typical"):
        return of("right", version, level)

    assert right("v1") < right("v2") <= right("teacher") + 0.01
    assert abs(right("v3-bad", "clean") - right("v2", "clean")) < 0.02, "clean cards do not show its fault"
    assert right("v3-bad", "hard") < right("v2", "hard") - 0.1
