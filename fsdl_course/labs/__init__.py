"""Labs: what a lab's notebook uses (``check``, ``predict``, ``reveal``), and how labs are built and run."""

from fsdl_course.labs.exercise import check, predict, reveal

__all__ = ["check", "predict", "reveal"]
