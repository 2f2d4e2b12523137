"""nbgrader in this repository: student code goes through the course's sandbox (fsdl_course.labs.sandbox)."""

import sys
from pathlib import Path
from urllib.parse import quote

from fsdl_course.grading import inert

c = get_config()  # noqa: F821
c.CourseDirectory.course_id = "fsdl-deploy"
c.CourseDirectory.root = str(Path(__file__).resolve().parent)
c.CourseDirectory.source_directory = "solutions"
# The labs that students get are made by `make labs`; what nbgrader would release stays apart from them.
c.CourseDirectory.release_directory = "grades/release"
c.CourseDirectory.submitted_directory = "grades/submitted"
c.CourseDirectory.autograded_directory = "grades/autograded"
c.CourseDirectory.feedback_directory = "grades/feedback"
database = str(Path(__file__).resolve().parent / "grades" / "gradebook.db")
c.CourseDirectory.db_url = f"sqlite:///{quote(database)}"  # a path may hold % or ?
# Sources of labs hold solutions: nbgrader copies every file that it is not told to leave.
c.CourseDirectory.ignore = [".ipynb_checkpoints", "*.pyc", "__pycache__", "lab*.py", "equivalent.toml"]
if Path(sys.argv[0]).stem == "nbgrader":  # JupyterLab reads this file too, and students grade nothing
    Path(__file__).resolve().with_name("grades").mkdir(exist_ok=True)
# What students wrote is shown there, in a Jupyter that may write files; their code runs in the sandbox.
inert.configure(c)
