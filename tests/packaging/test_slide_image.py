"""The slide's image: what was seen is said, and each flaw has what ours does instead."""

from fsdl_deploy.packaging import slide_image
from fsdl_deploy.packaging.build_context import DOCKER

SEEN = {"reinstalls": True, "user": "root", "secret": False, "exit_code": 137}


def test_the_context_has_the_slides_files_and_what_must_not_be_in_an_image(tmp_path):
    place = slide_image.context(tmp_path / "slide")
    assert {path.name for path in place.iterdir()} >= {"Dockerfile", "app.py", "requirements.txt", ".env"}
    assert (place / "wheels" / slide_image.WHEEL).is_file()


def test_the_dockerfile_has_the_slides_lines_in_the_slides_order():
    text = (DOCKER / "slide" / "Dockerfile").read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    begun = [line.split()[0] for line in lines]
    assert begun == ["ARG", "FROM", "WORKDIR", "ADD", "RUN", "EXPOSE", "ENV", "CMD"]


def test_the_table_says_what_was_seen_and_not_what_is_usual():
    cells = [row[1] for row in slide_image.table(SEEN).rows]
    assert cells[:4] == [
        "packages installed again: yes",
        "the secret is inside: no",
        "runs as root",
        "killed after 2 s",
    ]
    assert slide_image.table(SEEN | {"exit_code": 0}).rows[3][1] == "exit code 0 after 2 s"
