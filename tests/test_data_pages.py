"""The pages made of data are up to date, and the command says where one is not."""

import argparse

import pytest

from fsdl_course import data_pages
from fsdl_deploy.paths import ROOT


@pytest.mark.parametrize("name", data_pages.PAGES)
def test_the_page_is_what_its_data_say_today(name):
    assert data_pages.differences(name, ROOT) == "", "run `fsdl-course documents`"


def test_a_page_that_differs_is_shown_then_written(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(data_pages, "PAGES", {"A.md": lambda root: "new\n", "B.md": lambda root: "same\n"})
    (tmp_path / "A.md").write_text("old\n")
    (tmp_path / "B.md").write_text("same\n")

    def run(check: bool) -> tuple[int, str]:
        return data_pages.main(argparse.Namespace(check=check, root=tmp_path)), capsys.readouterr().out

    status, printed = run(check=True)
    assert status == 1 and "-old" in printed and "+new" in printed and "B.md" not in printed
    assert (tmp_path / "A.md").read_text() == "old\n"
    assert run(check=False) == (0, "A.md: written\nB.md: the same already\n")
    assert run(check=True) == (0, "")
