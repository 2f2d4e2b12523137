"""What a published model is to be expected to read: from the models' record, so that no test knows a figure."""

from fsdl_course.notebooks import recorded
from fsdl_course.notebooks.conversion import RECORDS
from fsdl_deploy.paths import ROOT


def least_right(version: str, level: str, count: int) -> float:
    """How many of ``count`` cards ``version`` reads right at least, but for four standard errors of chance."""
    share = recorded.figure("right", [version, level], ROOT / RECORDS)
    return count * share - 4 * (count * share * (1 - share)) ** 0.5
