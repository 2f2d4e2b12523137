"""Stations of serving libraries, built before a comparison; where one cannot be, a sentence says so.

What is not built is left out of the comparison, by ``compare``.
"""

from collections.abc import Callable, Sequence

from fsdl_course.serving.libraries import OURS
from fsdl_course.setup.failures import SetupError
from fsdl_course.setup.stations import ensure
from fsdl_deploy.running.stations import StationError


def build(names: Sequence[str], say: Callable[[str], None] = print) -> list[str]:
    """Build the stations of ``names`` that are not built; the names of the servers that can be started.

    Our own service needs none. Nothing is raised for a station that cannot be had, without a network say.
    """
    built = []
    for name in names:
        try:
            if name != OURS:
                ensure(name)
        except (SetupError, StationError) as error:
            say(str(error))
        else:
            built.append(name)
    return built
