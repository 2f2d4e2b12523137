"""Platforms of the lecture: a row stands with date and source, and nothing but rows decides the claim."""

import pytest

from fsdl_deploy.managed import platforms
from fsdl_deploy.managed.platforms import PlatformError

ROW = """
[[platform]]
name = "Somebody"
kind = "start-up"
sold = "endpoints"
status = "sold"
now = "as before"
date = 2026-01-31
source = "https://somebody.example"
"""


def read(tmp_path, text):
    file = tmp_path / "platforms.toml"
    file.write_text(text)
    return platforms.platforms(file)


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ("date = 2026-01-31", "", "Somebody has no date"),
        ('source = "https://somebody.example"', "", "Somebody has no source"),
        ("https://", "", "source must be an address"),
        ("2026-01-31", '"lately"', 'or "unknown"'),
        ("2026-01-31", "2026", "date must be a date"),
        ("2026-01-31", "2126-01-31", "date that is not still to come"),
        ("somebody.example", "", "names a host"),
        ('"sold"\nnow', '"thriving"\nnow', "status must be one of sold, renamed"),
        ('"start-up"', '"friend"', "kind must be one of cloud"),
        ("now =", 'fame = "much"\nnow =', "unknown fame"),
    ],
)
def test_a_row_that_is_not_whole_is_refused(tmp_path, before, after, message):
    assert before in ROW
    with pytest.raises(PlatformError, match=message):
        read(tmp_path, ROW.replace(before, after))


def test_a_row_twice_is_refused(tmp_path):
    with pytest.raises(PlatformError, match="Somebody is there twice"):
        read(tmp_path, ROW + ROW)


def test_what_is_unknown_is_said(tmp_path):
    (row,) = read(tmp_path, ROW.replace("2026-01-31", '"unknown"'))
    assert row.date is None and row.still


@pytest.mark.parametrize(
    ("status", "still"),
    [
        *[(status, True) for status in ("sold", "renamed", "new owner")],
        *[(status, False) for status in ("changed", "ended", "unknown")],
    ],
)
def test_who_is_bought_or_renamed_still_sells_and_who_is_unknown_does_not(tmp_path, status, still):
    (row,) = read(tmp_path, ROW.replace('"sold"', f'"{status}"'))
    assert row.still == still


def test_all_that_the_issue_and_the_slides_name_are_there_and_counted():
    known = platforms.platforms()
    names = " ".join(row.name for row in known)
    wanted_names = (
        "SageMaker Vertex Azure Databricks DataRobot Domino Gradient Cortex Banana BentoML Replicate"
    )
    assert all(name in names for name in [*wanted_names.split(), "Baseten"])
    counted = platforms.counts()
    assert counted["of"] == len(known) == len(platforms.table().rows)
    assert sum(of["still"] for of in counted["kinds"].values()) == counted["still"] < counted["of"]
    assert f"{counted['still']} of {counted['of']} still sell" in platforms.summary()
