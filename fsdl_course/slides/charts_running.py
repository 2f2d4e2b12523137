"""Charts from records of what ran for long in ``infra/``, and from tables of the lessons' run"""

from fsdl_course.notebooks.record_lookup import Records
from fsdl_course.slides.charts_form import bars
from fsdl_deploy.measuring import records


def _recorded(known: Records, folder: str) -> dict:
    return records.read(known.folder.parent / "infra" / folder / "recorded.json")


def crowds(known: Records):
    """How long calls of a function waited: the slowest of each phase of a burst."""
    phases = _recorded(known, "scaling/aws_lambda")["phases"]
    names = [f"{phase['name']}: {phase['cold']} of {phase['calls']} cold" for phase in phases]
    slowest = [phase["slowest"] for phase in phases]
    return bars(names, slowest, "the slowest call (ms)", "{:,.0f}", xscale="log", xlim=(10, 60000))


CHARTS = {function.__name__: function for function in (crowds,)}
