"""What a climb of the ladder, the students and a server's batches say to the lecture: factors and shares

The rungs are those of ``ladder.all_rungs``; their names are known here, so that a lesson asks for a figure by
what it means. Measures nothing but the sizes of batches.
"""

from collections.abc import Sequence
from time import perf_counter

from fsdl_deploy.optimization.ladder import RungResult
from fsdl_deploy.picture import Image
from fsdl_deploy.reader import OnnxReader, batches

CARELESS, CAREFUL = "teacher, padded", "a worker a core, a thread each"


def climb_figures(results: Sequence[RungResult]) -> dict[str, float]:
    """Factors (×) and points of a hundred that a climb of all rungs shows.

    Raises KeyError for a climb that lacks one of the rungs: give it a long run.
    """
    rate = {result.rung: result.per_second for result in results}
    share = {result.rung: result.right / result.cards for result in results}
    return {
        "threads_factor": rate[CAREFUL] / rate[CARELESS],
        "model_factor": rate["batches of 64"] / rate[CAREFUL],
        "runtime_factor": rate["batches of 64"] / rate["graph optimisations"],
        "cascade_factor": rate["cascade: unsure cards to the teacher"] / rate[CARELESS],
        "careful_factor": rate["cascade: unsure cards to the teacher"] / rate[CAREFUL],
        "student_factor": rate["distilled"] / rate["graph optimisations"],
        "student_loss": 100 * (share["graph optimisations"] - share["distilled"]),
        "batch_factor": rate["batches of 64"] / rate["distilled"],
        "int8_factor": rate["int8, static"] / rate["graph optimisations"],
        "int8_loss": 100 * (share["graph optimisations"] - share["int8, static"]),
        "int8_student_factor": rate["distilled, int8, static"] / rate["distilled"],
        "int8_builtin_factor": rate["int8, torch dynamic"] / rate["inference_mode"],
    }


def teaching_points(students: Sequence[dict]) -> list[float]:
    """Points of a hundred that the taught student of each size reads right more, the smallest first."""
    ordered = sorted(students, key=lambda row: (row["multiply_adds"], row["taught"]))
    pairs = zip(ordered[::2], ordered[1::2], strict=True)
    return [100 * (taught["right"] - alone["right"]) / alone["cards"] for alone, taught in pairs]


def batch_sizes(
    reader: OnnxReader, images: Sequence[Image], sizes: Sequence[int], rounds: int = 5
) -> dict[int, tuple[float, float]]:
    """Pictures a second, and the milliseconds that the longest batch takes, for each size of batch.

    The sizes are measured in turns, and the best of ``rounds`` counts. Pictures of like widths share a batch.
    """
    groups = {size: [(pictures, widths) for _, pictures, widths in batches(images, size)] for size in sizes}
    best = dict.fromkeys(sizes, (0.0, 0.0))
    for _ in range(rounds):
        for size, some in groups.items():
            seconds = [_seconds(reader, *group) for group in some]
            best[size] = max(best[size], (len(images) / sum(seconds), 1000 * max(seconds)))
    return best


def _seconds(reader: OnnxReader, pictures, widths) -> float:
    begin = perf_counter()
    reader.run(pictures, widths)
    return perf_counter() - begin
