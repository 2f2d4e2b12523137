# PYTHON_ARGCOMPLETE_OK
"""``fsdl-course COMMAND``: set up, build, check, update and grade the course, compare libraries."""

import sys

from fsdl_deploy.cli import Command, run

COMMANDS = {
    "doctor": Command("check this machine and say what to do about each problem", "fsdl_course.setup.doctor"),
    "reset": Command(
        "give a notebook of work/ back as it was, or list those that differ", "fsdl_course.workspace.reset"
    ),
    "progress": Command(
        "show which lessons were run, which exercises are right, and what is next",
        "fsdl_course.workspace.progress",
    ),
    "update": Command("get the newest course, with your answers in its labs", "fsdl_course.workspace.update"),
    "notebooks": Command(
        "build, check and execute the notebooks",
        group={
            "build": Command("make notebooks from their sources", "fsdl_course.notebooks.build"),
            "import": Command(
                "write edits made in JupyterLab back to a notebook's source",
                "fsdl_course.notebooks.importing",
            ),
            "check": Command("check notebooks against the course's contract", "fsdl_course.notebooks.rules"),
            "minutes": Command(
                "compute how long each notebook takes, beside what it says", "fsdl_course.notebooks.minutes"
            ),
            "new": Command("start a tool notebook from the template", "fsdl_course.notebooks.new"),
            "pages": Command(
                "write the notebooks that a test run executed as pages", "fsdl_course.notebooks.pages"
            ),
            "course": Command(
                "execute notebooks and write them as pages to build/course", "fsdl_course.notebooks.execute"
            ),
        },
    ),
    "platforms": Command(
        "show which systems and Pythons each lock has wheels for, and look again at locks that changed",
        "fsdl_course.setup.platforms",
    ),
    "claims": Command(
        "list the lecture's sentences and where each is measured, or write the page of their verdicts",
        "fsdl_course.claims_command",
    ),
    "slides": Command(
        "build the slides as HTML and PDF, and look at each page in a browser", "fsdl_course.slides.build"
    ),
    "layout": Command("write what each module is into CONTRIBUTING.md", "fsdl_course.layout"),
    "documents": Command("write the glossary and the page of decisions", "fsdl_course.data_pages"),
    "plan": Command("write the teaching plan of the sessions", "fsdl_course.teaching_plan"),
    "labs": Command("build or check labs from their sources", "fsdl_course.labs.build"),
    "site": Command("make the course's pages for the web, in build/site", "fsdl_course.site.build"),
    "grade": Command("grade the notebooks that students handed in", "fsdl_course.grading.grade"),
    "totals": Command("add up the course: late days, weights, exports", "fsdl_course.grading.totals"),
    "cases": Command("draw private cases for grading labs", "fsdl_course.grading.cases"),
    "mutants": Command(
        "try the labs' cases on solutions with a fault, and list the faults that they do not notice",
        "fsdl_course.grading.mutants.command",
    ),
    "sample-class": Command(
        "write made-up hand-ins of a lab, to try the grading with", "fsdl_course.grading.sample"
    ),
    "capstone": Command(
        "lab 10: a service of your own, judged by what it does under load",
        group={
            "new": Command("start a folder to hand in, or look at an example", "fsdl_course.capstone.new"),
            "try": Command(
                "replay a month end against a folder, for practice", "fsdl_course.capstone.practice"
            ),
            "grade": Command("grade the folders of a class by hidden replays", "fsdl_course.capstone.grade"),
        },
    ),
    "bench": Command(
        "measure the speed of what the course compares",
        group={
            "serving": Command("the serving libraries, asked in turns", "fsdl_course.serving.compare"),
            "flame": Command(
                "draw where the time of a request to our service goes", "fsdl_course.serving.flame"
            ),
            "canaries": Command(
                "what serving libraries take care of in a rollout", "fsdl_course.serving.canaries"
            ),
            "grading": Command(
                "grade a class, half of it hostile: processor time, memory, killed and gone on",
                "fsdl_course.grading.bench",
            ),
        },
    ),
    "everywhere": Command(
        "compare the answers of every server of the course, bit for bit", "fsdl_course.serving.everywhere"
    ),
}


def main(argv: list[str] | None = None) -> int:
    """Run one command; return its exit status, as ``fsdl-deploy`` does."""
    return run("fsdl-course", "What sets the course up, builds, checks and grades it.", COMMANDS, argv)


if __name__ == "__main__":
    sys.exit(main())
