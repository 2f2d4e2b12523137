"""pip's configuration in uv's words, and the wheel of torch for each machine."""

import os

import pytest

from fsdl_course.setup import sources
from fsdl_course.setup.sources import CPU_INDEX, pip_settings, torch_ways, uv_variables, variables


def test_a_variable_wins_over_install_and_install_over_global():
    listing = """:env:.find-links='/wheels'
global.find-links='/elsewhere'
global.index-url='https://a.example/simple'
install.index-url='https://b.example/simple'
freeze.timeout='10'
not a setting
"""
    assert pip_settings(listing) == {"find-links": "/wheels", "index-url": "https://b.example/simple"}


def test_uv_is_told_every_source():
    environ, unknown = uv_variables(
        {
            "index-url": "https://a.example/simple",
            "extra-index-url": "https://b.example/simple\nfile:///c/simple",
            "find-links": "/one /two",
            "constraint": "/etc/one.txt /etc/two.txt",
            "trusted-host": "a.example b.example",
            "proxy": "http://proxy.example:3128",
            "disable-pip-version-check": "1",
            "config-file": "/etc/other.conf",
            "no-cache-dir": "false",
        }
    )
    assert unknown == []
    assert environ == {
        "UV_DEFAULT_INDEX": "https://a.example/simple",
        "UV_INDEX": "https://b.example/simple file:///c/simple",
        "UV_FIND_LINKS": "/one,/two",
        "UV_CONSTRAINT": "/etc/one.txt /etc/two.txt",
        "UV_INSECURE_HOST": "a.example b.example",
        "HTTP_PROXY": "http://proxy.example:3128",
        "HTTPS_PROXY": "http://proxy.example:3128",
        "UV_INDEX_STRATEGY": "unsafe-best-match",
    }


@pytest.mark.parametrize("name", ["build-constraint", "only-binary", "target", "an-option-of-next-year"])
def test_what_uv_has_no_word_for_is_named(name):
    assert uv_variables({name: "x"})[1] == [name]


def test_certificates_may_be_a_folder(tmp_path):
    assert uv_variables({"cert": str(tmp_path)})[0]["SSL_CERT_DIR"] == str(tmp_path)
    assert uv_variables({"cert": "/a/bundle.pem"})[0]["SSL_CERT_FILE"] == "/a/bundle.pem"


@pytest.fixture
def lock(tmp_path):
    rows = [
        "# why",
        "torch==9.9.0",
        f"{'a' * 64}  torch-9.9.0+cpu-cp311-cp311-manylinux_2_28_x86_64.whl",
        f"{'b' * 64}  torch-9.9.0-cp311-cp311-macosx_14_0_arm64.whl",
        f"{'c' * 64}  torch-9.9.0-cp312-cp312-win_amd64.whl",
    ]
    path = tmp_path / "requirements-torch.lock"
    path.write_text("\n".join(rows))
    return path


@pytest.mark.parametrize(
    ("system", "machine", "python", "requirement", "sums"),
    [
        ("Linux", "x86_64", (3, 11), "torch==9.9.0+cpu", ("a" * 64,)),
        ("Linux", "x86_64", (3, 12), "torch==9.9.0+cpu", ()),
        ("Linux", "aarch64", (3, 11), "torch==9.9.0+cpu", ()),
        ("Darwin", "arm64", (3, 11), "torch==9.9.0", ("b" * 64,)),
        ("Windows", "AMD64", (3, 12), "torch==9.9.0", ("c" * 64,)),
        ("Windows", "AMD64", (3, 11), "torch==9.9.0", ()),
    ],
)
def test_the_wheel_for_each_machine(lock, system, machine, python, requirement, sums):
    for way in torch_ways({}, {}, python, system, machine, lock):
        assert (way.requirement, way.sums, way.dependencies) == (requirement, sums, False)
        assert way.index == (CPU_INDEX if system == "Linux" else None)
        assert way.lines().count("--hash=sha256:") == len(sums)


def test_linux_asks_the_configured_sources_first_and_never_for_cuda(lock):
    for settings in ({"find-links": "/w"}, {"index-url": "https://x"}, {"extra-index-url": "https://x"}):
        ways = torch_ways(settings, {}, (3, 11), "Linux", "x86_64", lock)
        assert [way.index for way in ways] == [None, CPU_INDEX]
        assert {way.requirement for way in ways} == {"torch==9.9.0+cpu"}
    assert [way.index for way in torch_ways({"no-index": "1"}, {}, (3, 11), "Linux", "x86_64", lock)] == [
        CPU_INDEX
    ]


def test_one_variable_overrides_all(lock):
    environ = {"FSDL_TORCH_INDEX": "https://name:secret@x.example/cu130"}
    (way,) = torch_ways({"find-links": "/w"}, environ, (3, 11), "Linux", "x86_64", lock)
    assert (way.requirement, way.index, way.dependencies) == (
        "torch==9.9.0",
        environ["FSDL_TORCH_INDEX"],
        True,
    )
    assert "secret" not in way.where


@pytest.mark.parametrize("tool", ["uv", "pip"])
def test_the_only_source_hides_every_other(tool, tmp_path):
    settings = {"index-url": "https://a.example", "find-links": "/w", "cert": "/a/bundle.pem"}
    environ = variables(settings, tool, "https://torch.example/cpu")
    assert "https://torch.example/cpu" in environ.values()
    assert "https://a.example" not in environ.values() and "/w" not in environ.values()
    assert "/a/bundle.pem" in environ.values()
    if tool == "pip":
        assert environ["PIP_CONFIG_FILE"] == os.devnull and environ["PIP_FIND_LINKS"] is None
    folder = tmp_path / "a folder, with é"  # which no tool may take for several
    folder.mkdir()
    assert folder.as_uri() in variables(settings, tool, str(folder)).values()


@pytest.mark.parametrize("row", ["torch 9.9.0", "12ab  torch-9.9.0-cp311-cp311-win_amd64.whl", "a b c"])
def test_a_bad_line_in_the_lock_of_torch_is_named(tmp_path, row):
    path = tmp_path / "requirements-torch.lock"
    path.write_text(f"torch==9.9.0\n{row}\n")
    with pytest.raises(ValueError, match="cannot read the line"):
        sources.locked_torch(path)


def test_the_real_lock_of_torch_is_one_version():
    version, sums = sources.locked_torch()
    assert sums and all(name.startswith(f"torch-{version}") for name in sums)
    assert all(way.sums for way in torch_ways({}, {}, (3, 11), "Linux", "x86_64"))
