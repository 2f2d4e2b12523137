"""Labs: what a notebook of theirs uses (``check``, ``case``, ``predict``, ``reveal``); how they are built."""

from fsdl_course.labs.exercise import case, check, predict, reveal

__all__ = ["case", "check", "predict", "reveal"]
