"""The check of links and of what pages load, on pages that are wrong in one way each."""

import pytest

from fsdl_course.site.check import problems

GOOD = (
    '<h1 id="top">A</h1><a href="sub/b.html#place">b</a><a href="https://example.org">c</a>'
    '<img src="a%20b.png">'
)


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "sub").mkdir()
    (tmp_path / "a.html").write_text(GOOD)
    (tmp_path / "a b.png").touch()
    (tmp_path / "sub/b.html").write_text(
        '<p id="place">b <a href="../a.html#top">back</a> <a href="#">up</a></p>'
    )
    return tmp_path


def test_whole_pages_have_no_problem_and_a_link_to_elsewhere_is_none(folder):
    assert list(problems(folder)) == []


@pytest.mark.parametrize(
    "wrong, sentence",
    [
        ('<a href="gone.html">x</a>', "a.html links gone.html, and there is no such file"),
        ('<a href="sub/b.html#gone">x</a>', "a.html links sub/b.html#gone, and sub/b.html has no such place"),
        ('<a href="../out.html">x</a>', "a.html links ../out.html, and there is no such file"),
        ('<img src="gone.png">', "a.html links gone.png, and there is no such file"),
        (
            '<script src="https://cdn.example/x.js"></script>',
            "a.html loads https://cdn.example/x.js from another host",
        ),
        (
            '<link rel="stylesheet" href="//cdn.example/x.css">',
            "a.html loads //cdn.example/x.css from another host",
        ),
    ],
)
def test_what_is_wrong_is_said(folder, wrong, sentence):
    (folder / "a.html").write_text(GOOD + wrong)
    assert list(problems(folder)) == [sentence]


def test_a_style_that_imports_from_elsewhere_is_seen(folder):
    (folder / "x.css").write_text("@import 'https://fonts.example/a.css';")
    assert list(problems(folder)) == ["x.css loads a file from another host"]
