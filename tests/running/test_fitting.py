"""On which systems and Pythons a tool runs, and the sentence where it does not."""

import pytest

from fsdl_deploy.running import fitting


@pytest.mark.parametrize(
    ("system", "processor", "name"),
    [
        ("Linux", "x86_64", "linux-x86_64"),
        ("Linux", "aarch64", "linux-aarch64"),
        ("Darwin", "arm64", "macos-arm64"),
        ("Windows", "AMD64", "windows-x86_64"),
        ("Darwin", "x86_64", "macos-x86_64"),
    ],
)
def test_every_machine_has_one_name(system, processor, name):
    assert fitting.system(system, processor) == name
    assert (name in fitting.SYSTEMS) == (name != "macos-x86_64")


@pytest.mark.parametrize(
    ("specifier", "allowed", "words"),
    [
        ("", "11 12 13 14", "3.8 or newer"),
        (">=3.11,<3.13", "11 12", "3.11 or 3.12"),
        (">= 3.11, < 3.14", "11 12 13", "3.11, 3.12 or 3.13"),
        (">3.12", "13 14", "3.13 or newer"),
        ("<=3.12", "11 12", "3.12 or older"),
        ("==3.12", "12", "3.12"),
        (">=3.11,<3.15,!=3.13", "11 12 14", "3.11, 3.12 or 3.14"),
    ],
)
def test_a_specifier_allows_what_it_says(specifier, allowed, words):
    fits = [minor for minor in range(11, 15) if fitting.allows(specifier, (3, minor))]
    assert fits == list(map(int, allowed.split()))
    assert fitting.pythons(specifier) == words


@pytest.mark.parametrize("specifier", ["3.12", "~=3.12", ">=3", ">=3.12.1", ">=x"])
def test_what_is_no_specifier_is_refused(specifier):
    with pytest.raises(ValueError, match="is not like"):
        fitting.allows(specifier)


def test_the_sentence_names_the_systems():
    sentence = "The station triton runs on Linux x86-64 only: its notebook is skipped here."
    assert fitting.misplaced("The station triton", ("linux-x86_64",), "macos-arm64") == sentence
    assert fitting.misplaced("The station triton", ("linux-x86_64",), "linux-x86_64") is None
    three = ("linux-x86_64", "linux-aarch64", "macos-arm64")
    assert "Linux x86-64, Linux arm64 and macOS arm64 only" in fitting.misplaced(
        "It", three, "windows-x86_64"
    )


def test_the_sentence_says_how_to_get_the_python():
    asked = ("The station older", ">=3.11,<3.13", "older")
    assert fitting.wrong_python(*asked, False, (3, 12)) is None
    sentence = fitting.wrong_python(*asked, False, (3, 14))
    assert "needs Python 3.11 or 3.12" in sentence and "runs on 3.14" in sentence
    assert "python tasks.py station older --fetch-python" in sentence
    # With the course's torch it must be the course's Python: another one helps nobody.
    with_torch = fitting.wrong_python(*asked, True, (3, 14))
    assert "set up with Python 3.11 or 3.12" in with_torch and "--fetch-python" not in with_torch
