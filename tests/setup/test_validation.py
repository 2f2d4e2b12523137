"""The steps of ``make test``: each runs, and says how it ended."""

import sys
from pathlib import Path

from fsdl_course.setup.validation import validate


class Core:
    python, folder = Path(sys.executable), Path(sys.prefix)


def test_a_failed_step_stops_no_other_and_fails_the_whole(capfd):
    steps = [("one", ["timeit", "-n1", "0"]), ("two", ["no_such_module"]), ("three", ["timeit", "-n1", "0"])]
    assert not validate(Core, steps=steps)
    summary = capfd.readouterr().out.splitlines()[-3:]
    assert [line.split()[0] for line in summary] == ["ok", "FAILED", "ok"]
    assert validate(Core, steps=steps[::2])
