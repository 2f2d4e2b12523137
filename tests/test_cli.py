import subprocess
import sys

import pytest
from piped import to_nobody

from fsdl_course import cli as course
from fsdl_course.setup import doctor
from fsdl_deploy.cli import COMMANDS, main

DEPLOY, COURSE = "fsdl_deploy.cli", "fsdl_course.cli"


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(command, capsys):
    with pytest.raises(SystemExit) as end:
        main([command, "--help"])
    assert end.value.code == 0 and command in capsys.readouterr().out


@pytest.mark.parametrize("arguments", [[], ["fly"], ["read"], ["read", "--wings", "x.png"]])
def test_bad_usage_exits_with_2(arguments):
    with pytest.raises(SystemExit) as end:
        main(arguments)
    assert end.value.code == 2


@pytest.mark.skipif(sys.platform == "win32", reason="a pipe without a reader is another error there")
def test_output_that_nobody_reads_is_no_error(tmp_path):
    assert main(["cards", str(tmp_path), "-n", "2"]) == 0
    for arguments in ([DEPLOY, "read", *sorted(map(str, tmp_path.iterdir()))], [COURSE, "doctor"]):
        shown = to_nobody([sys.executable, "-m", *arguments])
        assert (shown.returncode, shown.stderr) == (141, ""), arguments


def test_a_pipe_that_breaks_elsewhere_is_an_error(monkeypatch, capsys):
    def main_of_doctor(args):
        raise BrokenPipeError("the database went away")

    monkeypatch.setattr(doctor, "main", main_of_doctor)
    assert course.main(["doctor"]) == 1
    assert "the database went away" in capsys.readouterr().err


def test_the_package_imports_nothing_heavy():
    heavy = {"torch", "onnxruntime", "gradio", "numpy"}
    code = f"import sys, fsdl_deploy; print(sorted({heavy} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.strip() == "[]"


def test_public_names_load_on_demand():
    import fsdl_deploy

    for name in fsdl_deploy.__all__:
        assert getattr(fsdl_deploy, name).__name__ == name
    with pytest.raises(AttributeError, match="wings"):
        _ = fsdl_deploy.wings
