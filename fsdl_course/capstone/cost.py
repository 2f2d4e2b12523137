"""What a service costs a month: as many replicas of a core and its memory as the busiest second needs."""

import math

from fsdl_course.capstone.brief import Brief
from fsdl_deploy.managed.prices import prices
from fsdl_deploy.managed.tariffs import HOURS

ROOM = 0.6  # of a core that the busiest second may take


def month(brief: Brief, core_seconds: float, memory_mb: int) -> tuple[float, int]:
    """USD a month and the number of replicas, for ``core_seconds`` of processor time a card."""
    rows = prices()
    replicas = max(brief.replicas, math.ceil(brief.peak_rate * core_seconds / ROOM))
    hour = rows["fargate_core_hour"].value + rows["fargate_gb_hour"].value * memory_mb / 1024
    return replicas * hour * HOURS, replicas
