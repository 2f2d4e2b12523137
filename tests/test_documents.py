"""What the documents say is so: their commands exist, their times add up, their links lead somewhere."""

import argparse
import re
import shlex
import subprocess
import sys
import tomllib
from html.parser import HTMLParser
from importlib import import_module

import pytest
import yaml
from markdown_it import MarkdownIt

from fsdl_course import cli as course
from fsdl_course.notebooks import listing
from fsdl_deploy import cli as deploy
from fsdl_deploy.measuring import records
from fsdl_deploy.paths import ROOT

sys.path.insert(0, str(ROOT))
import tasks

PROGRAMS = {"fsdl-deploy": deploy.COMMANDS, "fsdl-course": course.COMMANDS}
GUIDES = [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "solutions/README.md")]
DOCUMENTS = [*GUIDES, ROOT / "CHANGELOG.md", ROOT / "LICENSE-text.md"]
SOURCES = [*(ROOT / "notebooks" / "source").rglob("*.py"), *(ROOT / "solutions").rglob("lab*.py")]
COMMAND = re.compile(r"(fsdl-deploy|fsdl-course|make|python tasks\.py)( |$)")
README = (ROOT / "README.md").read_text(encoding="utf-8")


def path_id(path) -> str:
    return path.relative_to(ROOT).as_posix()


class Quoted(argparse.ArgumentParser):
    """Takes a command as a text quotes it: what is required may be left out, what is unknown may not."""

    def add_argument(self, *names, **settings):
        action = super().add_argument(*names, **settings)
        action.required = False
        return action

    def error(self, message):
        raise ValueError(message)


def quoted_in(text: str) -> list[str]:
    """The commands in Markdown: lines of fenced blocks, and spans of code."""
    fences = re.findall(r"^```[a-z]*\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    spans = re.findall(r"`([^`]+)`", re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL))
    lines = [line for fence in fences for line in fence.splitlines()]
    return [code for code in (" ".join(code.split()) for code in lines + spans) if COMMAND.match(code)]


def quoted_in_source(text: str) -> list[str]:
    """The commands in a notebook's source: in its prose, and in what its code prints."""
    prose = "\n".join(line[2:] for line in text.splitlines() if line.startswith("#"))
    code = "\n".join(line for line in text.splitlines() if not line.startswith("#"))
    return quoted_in(prose) + re.findall(r"((?:fsdl-deploy|fsdl-course)(?: [^\"'`{\n]+)?)", code)


def problem(command: str) -> str | None:
    """Why a quoted command would not be understood; None if it would."""
    words = shlex.split(command.removeprefix("python "), comments=True)
    if words[0] in PROGRAMS:
        return problem_of_program(PROGRAMS[words[0]], words[1:])
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    known = set(re.search(r"^\.PHONY: (.+)$", makefile, re.MULTILINE)[1].split()) & tasks.COMMANDS.keys()
    known |= {f"{name}=" for name in re.findall(r"\$\((?:if \$\()?([A-Z]+)\b", makefile)} - {"PYTHON="}
    known |= set(re.findall(r"--[a-z]+", tasks.__doc__))
    if words[:2] == ["tasks.py", "lab"]:  # which passes options on to JupyterLab
        words = [word for word in words if not word.startswith("--")]
    wrong = [word for word in words[1:] if re.sub("=.*", "=", word) not in known]
    return f"there is no {wrong[0]}" if wrong else None


def problem_of_program(commands: dict, words: list[str]) -> str | None:
    """As ``problem``, for the words after the program's name."""
    while words and not words[0].startswith("-") and words[0] != "COMMAND":  # any of them
        if words[0] not in commands:
            return f"there is no command {words[0]}"
        command, words = commands[words[0]], words[1:]
        if not command.group:
            parser = Quoted(add_help=True)
            import_module(command.module).add_arguments(parser)
            try:
                parser.parse_args(words)
            except ValueError as error:
                return str(error)
            return None
        commands = command.group
    return None if words in ([], ["COMMAND"], ["--version"], ["--help"]) else f"{words[0]} is no option here"


@pytest.mark.parametrize("path", [*GUIDES, *SOURCES], ids=path_id)
def test_every_command_in_a_text_exists(path):
    text = path.read_text(encoding="utf-8")
    commands = quoted_in(text) if path.suffix == ".md" else quoted_in_source(text)
    assert commands or path not in GUIDES
    problems = [(command, why) for command in dict.fromkeys(commands) if (why := problem(command))]
    assert not problems


@pytest.mark.parametrize(
    ("command", "why"),
    [
        ("fsdl-deploy grade hand-ins", "no command grade"),
        ("fsdl-deploy bench serving", "no command serving"),
        ("fsdl-course notebooks polish", "no command polish"),
        ("fsdl-deploy cards FOLDER --pages 3", "--pages"),
        ("fsdl-deploy cards -n many", "many"),
        ("fsdl-course --loud", "--loud"),
        ("make coffee", "no coffee"),
        ("make clean EVERYTHING=1", "no EVERYTHING=1"),
        ("python tasks.py coffee", "no coffee"),
        ("fsdl-deploy cards", None),
        ("fsdl-deploy cards FOLDER -n 100 --level hard", None),
        ("fsdl-course bench", None),
        ("make station NAME=grpc  # builds one", None),
    ],
)
def test_a_command_that_is_gone_would_be_seen(command, why):
    assert (why in problem(command)) if why else problem(command) is None


def test_commands_are_found_wherever_they_are_quoted():
    text = "Run `make\nlab` or:\n\n```\nfsdl-course doctor\nls\n```\n\nMake it so with `ls`."
    assert quoted_in(text) == ["fsdl-course doctor", "make lab"]
    source = '# # Title\n# `fsdl-deploy bench\n# serving` is it\n\nprint("see: fsdl-course doctor")\n'
    assert quoted_in_source(source) == ["fsdl-deploy bench serving", "fsdl-course doctor"]


@pytest.mark.parametrize("path", DOCUMENTS, ids=path_id)
def test_links_lead_to_files(path):
    targets = re.findall(r"\]\(([^)#\s]+)", path.read_text(encoding="utf-8"))
    local = [target for target in targets if "://" not in target]
    assert [target for target in local if not (path.parent / target).exists()] == []


def test_the_readme_is_short():
    words = []
    reading = HTMLParser()
    reading.handle_data = lambda text: words.extend(text.split())
    reading.feed(MarkdownIt("commonmark").enable("table").render(README))
    assert 500 < len(words) <= 1100


def test_the_readme_says_how_good_v2_is():
    report = records.read(ROOT / "models" / "report.json")
    shares = [f"{100 * report[part]['v2']['typical']['exact_match']:.1f} %" for part in ("measured", "mnist")]
    digits = [report[part]["v2"]["typical"]["digits"] for part in ("measured", "mnist")]
    sentence = re.search(r"`v2`\]\(models/v2\.md\), reads .*?\.(?=\s)", README, re.DOTALL)[0]
    assert re.findall(r"\d+\.\d %", sentence) == shares
    assert re.findall(r"\d+,\d+", sentence) == [f"{count:,}" for count in digits]


def in_minutes(text: str) -> int:
    """``2 h 20 min`` as minutes."""
    hours, rest = re.fullmatch(r"(\d+) h(?: (\d+) min)?", text).groups()
    return 60 * int(hours) + int(rest or 0)


def numbers(kind: str, text: str) -> list[str]:
    """``lessons 00, 01 to 03; lab 00`` -> the numbers after ``kind``, those between two of them too."""
    part = re.search(rf"{kind}s? ((?:\d\d(?:, | to )?)+)", text)[1]
    whole = []
    for piece in part.strip(", ").split(", "):
        first, last = (piece.split(" to ") * 2)[:2]
        whole += [f"{number:02}" for number in range(int(first), int(last) + 1)]
    return whole


def test_the_times_add_up():
    minutes = listing.minutes(ROOT)
    tools = sum(value for name, value in minutes.items() if "/tools/" in name)
    lessons = {name[10:].partition("_")[0]: value for name, value in minutes.items() if "/tools/" not in name}
    labs = {
        number: int(value)
        for number, value in re.findall(r"^\| \[(\d\d) .+labs/.+\| (\d+) \|$", README, re.M)
    }
    text = " ".join(README.split())
    total = re.search(r"lessons take (.+?), the tool notebooks (.+?) and the labs (.+?)\.", text)
    assert [in_minutes(part) for part in total.groups()] == [sum(lessons.values()), tools, sum(labs.values())]
    paths = dict(re.findall(r"^\| an? (\w+) \| (.+ \| .+) \|$", README, re.MULTILINE))
    for name in ("afternoon", "week"):
        what, time = paths[name].split(" | ")
        chosen = [lessons[n] for n in numbers("lesson", what)] + [labs[n] for n in numbers("lab", what)]
        assert in_minutes(time) == sum(chosen), name
    assert in_minutes(paths["semester"].split(" | ")[1]) == sum(lessons.values()) + tools + sum(labs.values())


def test_no_lesson_is_to_come_that_is_there():
    lessons = {path.name[:2] for path in (ROOT / "notebooks" / "source").glob("[0-9][0-9]_*.py")}
    coming = set(re.findall(r"^\| (\d\d) .+ \| to come \|$", README, re.MULTILINE))
    assert not coming & lessons
    tour = (ROOT / "notebooks" / "source" / "00_tour.py").read_text(encoding="utf-8")
    drawn = re.search(r"```mermaid(.+?)```", tour, re.DOTALL)[1]
    on_map = {number for group in re.findall(r"lessons? ([\d, ]+)", drawn) for number in group.split(", ")}
    assert {number.strip() for number in on_map} == lessons - {"00"}
    assert ("to come" in drawn) == bool(coming)


def test_contributing_names_everything_at_the_top():
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True)
    if listed.returncode:
        pytest.skip("not a clone: git lists nothing here")
    tops = {name.split("/")[0] for name in listed.stdout.split("\0") if name}
    hidden = {name for name in tops if name.startswith(".")} - {".ci"}
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    table = text.partition("| place |")[2].partition("\n\n")[0]
    places = " ".join(line.split("|")[1] for line in table.splitlines()[1:])
    names = {name.rstrip("/") for name in re.findall(r"`([^`]+)`", places)}
    assert tops - hidden - {"README.md", "CONTRIBUTING.md"} == names


def test_licence_and_citation_agree_with_the_package():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert (citation["license"], citation["version"]) == (project["license"], project["version"])
    assert {"cff-version", "message", "title", "authors"} <= citation.keys()
    assert README.startswith(f"# {citation['title']}\n")
    assert all((ROOT / name).is_file() for name in project["license-files"])
    tools = len(list((ROOT / "notebooks" / "source" / "tools").glob("[a-z]*.py")))
    assert f"{tools} tool notebooks" in " ".join(citation["abstract"].split())
