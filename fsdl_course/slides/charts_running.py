"""Charts from records of what ran for long in ``infra/``, and from tables of the lessons' run"""

from fsdl_course.notebooks import recorded_lessons
from fsdl_course.notebooks.record_lookup import Records
from fsdl_course.slides.charts_form import WIDE, bars
from fsdl_deploy.figures import PALETTE
from fsdl_deploy.measuring import records


def _recorded(known: Records, folder: str) -> dict:
    return records.read(known.folder.parent / "infra" / folder / "recorded.json")


def crowds(known: Records):
    """How long calls of a function waited: the slowest of each phase of a burst."""
    phases = _recorded(known, "scaling/aws_lambda")["phases"]
    names = [f"{phase['name']}: {phase['cold']} of {phase['calls']} cold" for phase in phases]
    slowest = [phase["slowest"] for phase in phases]
    return bars(names, slowest, "the slowest call (ms)", "{:,.0f}", xscale="log", xlim=(10, 60000))


def layers(known: Records):
    """How long an image takes to build again after nothing, the code or the requirements changed."""
    builds = _recorded(known, "docker")["builds"]
    names = [f"{name} changed" for name in builds]
    seconds = [sum(step[1] for step in steps) for steps in builds.values()]
    return bars(names, seconds, "time to build the image again (s)", "{:.1f} s")


def beside(known: Records):
    """What runs beside three copies of the service, by the way they are run, in MiB."""
    ways = _recorded(known, "scaling/orchestrators")["ways"]
    return bars(
        [way["name"] for way in ways],
        [way["mebibytes"] for way in ways],
        "memory beside the copies (MiB)",
        "{:.0f} MiB",
    )


def prototype_users(known: Records):
    """Latency and throughput of the prototype's page against the number of users."""
    import matplotlib.pyplot as plt

    rows = recorded_lessons.table_of(known, "01_prototype", "Many users")["rows"]
    users, median, slow, rate = zip(
        *([recorded_lessons.as_number(cell) for cell in row] for row in rows), strict=True
    )
    figure, (left, right) = plt.subplots(1, 2, figsize=(WIDE, 3.9))
    left.plot(users, slow, "o-", color=PALETTE[1], label="95 % wait less")
    left.plot(users, median, "o-", color=PALETTE[0], label="50 % wait less")
    left.set(xlabel="users", ylabel="latency (ms)", xticks=users, ylim=(0, None))
    left.legend()
    right.plot(users, rate, "o-", color=PALETTE[2])
    right.set(xlabel="users", ylabel="answers a second", xticks=users, ylim=(0, 1.3 * max(rate)))
    return figure


CHARTS = {function.__name__: function for function in (beside, crowds, layers, prototype_users)}
