"""Labs: what their notebooks use (``check``, ``case``, ``predict``, ``reveal``); how labs are built and run."""

from fsdl_course.labs.exercise import case, check, predict, reveal

__all__ = ["case", "check", "predict", "reveal"]
