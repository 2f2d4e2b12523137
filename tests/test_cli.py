import argparse
import os
import re
import subprocess
import sys
import tempfile
import tomllib

import pytest
from piped import to_nobody

from fsdl_course import cli as course
from fsdl_course.setup import doctor
from fsdl_deploy import cli as deploy
from fsdl_deploy import files
from fsdl_deploy.cli import COMMANDS, MOVED, main, parser_of, version
from fsdl_deploy.paths import ROOT

DEPLOY, COURSE = "fsdl_deploy.cli", "fsdl_course.cli"


def all_words(commands) -> list[list[str]]:
    """The words of each command, those of a group's commands too."""
    words = []
    for name, command in commands.items():
        words.append([name])
        words += [[name, *rest] for rest in all_words(command.group)]
    return words


EVERY = [(deploy, words) for words in all_words(COMMANDS)] + [
    (course, words) for words in all_words(course.COMMANDS)
]


@pytest.mark.parametrize(("program", "words"), EVERY, ids=[" ".join(words) for _, words in EVERY])
def test_every_command_and_each_of_its_options_is_explained(program, words, capsys):
    with pytest.raises(SystemExit) as end:
        program.main([*words, "--help"])
    assert end.value.code == 0 and " ".join(words) in capsys.readouterr().out
    parser = parser_of("program", "", program.COMMANDS, words)
    for word in words:
        (group,) = [action for action in parser._actions if isinstance(action, argparse._SubParsersAction)]
        assert all(choice.help for choice in group._choices_actions)
        parser = group.choices[word]
    assert parser.description.endswith(".") and parser.description[0].isupper()
    for action in parser._actions:
        assert action.help or isinstance(action, argparse._SubParsersAction), f"{words}: {action.dest}"
        if not isinstance(action, argparse._SubParsersAction):
            text, name = (
                parser._get_formatter()._get_help_string(action),
                action.metavar or action.dest.upper(),
            )
            assert re.fullmatch(r"(?!default).+?( \(default: [^()]+\))?", text) and "(default " not in text, (
                text
            )
            has_value = action.option_strings and action.nargs != 0 and action.default is not None
            assert "(default: " in text or not has_value, f"{words}: {action.dest} hides its default"
            assert name.isupper() and (action.option_strings or action.metavar), f"{words}: {action.dest}"


@pytest.mark.parametrize(("program", "words"), EVERY, ids=[" ".join(words) for _, words in EVERY])
def test_a_file_that_cannot_be_written_is_refused_before_the_work(program, words):
    parser = parser_of("program", "", program.COMMANDS, words)
    for word in words:
        (group,) = [action for action in parser._actions if isinstance(action, argparse._SubParsersAction)]
        parser = group.choices[word]
    written = [action for action in parser._actions if action.dest in ("json", "into", "file")]
    assert all(action.type is files.output for action in written if action.metavar == "FILE")


@pytest.mark.parametrize("where", ["nowhere/x.json", "."])
def test_the_refusal_of_a_file_names_what_is_wrong_with_it(where, tmp_path, capsys):
    with pytest.raises(SystemExit) as end:
        main(["rollouts", "replay", "--json", str(tmp_path / where)])
    last = capsys.readouterr().err.splitlines()[-1]
    assert end.value.code == 2 and "--json" in last and str(tmp_path) in last and ".part" not in last


def test_an_interrupt_while_modules_are_imported_is_no_traceback(monkeypatch, capsys):
    def interrupted(name):
        raise KeyboardInterrupt

    monkeypatch.setattr(deploy, "import_module", interrupted)
    assert main(["cards", "folder"]) == 130 and capsys.readouterr().err == ""


@pytest.mark.parametrize("program", [deploy, course])
def test_help_keeps_the_capitals_of_a_name_and_lists_the_commands_of_a_group(program, capsys):
    with pytest.raises(SystemExit):
        program.main(["bench", "--help"])
    printed = capsys.readouterr().out
    assert all(name in printed for name in program.COMMANDS["bench"].group)
    with pytest.raises(SystemExit):
        main(["cards", "--help"])
    assert "Write meter cards as PNG files." in capsys.readouterr().out


@pytest.mark.parametrize(("program", "name"), [(deploy, "fsdl-deploy"), (course, "fsdl-course")])
def test_both_programs_say_which_version_they_are(program, name, capsys):
    with pytest.raises(SystemExit) as end:
        program.main(["--version"])
    assert end.value.code == 0 and capsys.readouterr().out == f"{name} {version()}\n"
    assert version() == tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]


@pytest.mark.parametrize("words", [name.split() for name in MOVED])
def test_a_command_that_has_moved_says_where_it_is(words, capsys):
    assert main([*words, "--anything"]) == 2
    assert (
        capsys.readouterr().err
        == f"fsdl-deploy: '{' '.join(words)}' is 'fsdl-course {' '.join(words)}' now\n"
    )
    assert words in all_words(course.COMMANDS)


def test_a_shell_is_told_what_may_come_next():
    """As argcomplete asks: the line typed so far in the environment, the answer on file descriptor 8."""
    line = "fsdl-course bench s"
    asked = os.environ | {"_ARGCOMPLETE": "1", "COMP_LINE": line, "COMP_POINT": str(len(line))}
    with tempfile.NamedTemporaryFile() as answer:
        asked["_ARGCOMPLETE_STDOUT_FILENAME"] = answer.name
        subprocess.run([sys.executable, "-m", COURSE], env=asked, check=True, timeout=60)
        assert answer.read().decode().strip() == "serving"


@pytest.mark.parametrize("arguments", [[], ["fly"], ["read"], ["read", "--wings", "x.png"]])
def test_bad_usage_exits_with_2(arguments):
    with pytest.raises(SystemExit) as end:
        main(arguments)
    assert end.value.code == 2


@pytest.mark.skipif(sys.platform == "win32", reason="a pipe without a reader is another error there")
def test_output_that_nobody_reads_is_no_error(tmp_path):
    assert main(["cards", str(tmp_path), "-n", "2"]) == 0
    for arguments in ([DEPLOY, "read", *sorted(map(str, tmp_path.iterdir()))], [COURSE, "doctor"]):
        process = to_nobody([sys.executable, "-m", *arguments])
        assert (process.returncode, process.stderr) == (141, ""), arguments


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
