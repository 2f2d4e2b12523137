"""What a published model should read right, from the models' record: no test knows a figure."""

from fsdl_course.notebooks import recorded
from fsdl_course.notebooks.conversion import RECORDS
from fsdl_deploy.paths import ROOT


def least_right(version: str, level: str, count: int) -> float:
    """How many of ``count`` cards ``version`` should read right, less four standard errors."""
    share = recorded.figure("right", [version, level], ROOT / RECORDS)
    return count * share - 4 * (count * share * (1 - share)) ** 0.5
