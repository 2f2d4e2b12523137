"""Links from a copied notebook: those to copied ones stay, the others get the way out."""

import pytest

from fsdl_course.workspace.links import relinked

NAME = "notebooks/02_batch.ipynb"
COPIED = {NAME, "notebooks/01_start.ipynb", "notebooks/tools/triton.ipynb", "labs/lab00/lab00.ipynb"}


@pytest.fixture
def root(tmp_path):
    for name in (*COPIED, "README.md", "models/v2.md", "notebooks/images/why.png", "infra/a b/c.py"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    return tmp_path


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("[v2](../models/v2.md)", "[v2](../../models/v2.md)"),
        ("[v2](../models/v2.md#Figures)", "[v2](../../models/v2.md#Figures)"),
        ('[v2](../models/v2.md "a title")', '[v2](../../models/v2.md "a title")'),
        ("[`v2`](<../models/v2.md>)", "[`v2`](<../../models/v2.md>)"),
        ("![why](images/why.png)", "![why](../../notebooks/images/why.png)"),
        (
            "[![why](images/why.png)](../README.md)",
            "[![why](../../notebooks/images/why.png)](../../README.md)",
        ),
        ('<img alt="x" src="images/why.png">', '<img alt="x" src="../../notebooks/images/why.png">'),
        ("<a href='../README.md'>x</a>", "<a href='../../README.md'>x</a>"),
        ("[x][1]\n\n[1]: ../README.md\n", "[x][1]\n\n[1]: ../../README.md\n"),
        ("[x](../infra/a%20b/c.py)", "[x](../../infra/a%20b/c.py)"),
        ("[a folder](../infra)", "[a folder](../../infra)"),
    ],
)
def test_links_out_of_the_copies_lead_there(root, before, after):
    assert relinked(before, NAME, f"work/{NAME}", COPIED, root) == after
    text = f"Text.\n\n```\n{before}\n```\n\n{before}"
    assert relinked(text, NAME, f"work/{NAME}", COPIED, root) == f"Text.\n\n```\n{before}\n```\n\n{after}"


@pytest.mark.parametrize(
    "text",
    [
        "[a lesson](01_start.ipynb#Top), [a tool](tools/triton.ipynb), [a lab](../labs/lab00/lab00.ipynb)",
        "[the tools](tools/), [a section](#When-it-fails), [the web](https://example.org/../models/v2.md)",
        "![pasted](attachment:image.png) [nowhere](../no/such.md) [outside](../../../etc/passwd)",
        "`f[x](1)` (../models/v2.md)",
        "",
    ],
)
def test_others_stay(root, text):
    assert relinked(text, NAME, f"work/{NAME}", COPIED, root) == text


def test_a_tool_is_one_folder_deeper(root):
    name = "notebooks/tools/triton.ipynb"
    assert relinked("[v2](../../models/v2.md)", name, f"work/{name}", COPIED, root) == (
        "[v2](../../../models/v2.md)"
    )
