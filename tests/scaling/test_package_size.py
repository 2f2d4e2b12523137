"""The package: what is in it, how large it is, and that it still reads a card when it has shrunk."""

import json
import sys

import pytest

from fsdl_deploy.cards import cards
from fsdl_deploy.managed.costs import prices
from fsdl_deploy.picture import encode
from fsdl_deploy.scaling import package_size as sizes
from fsdl_deploy.scaling.serverless import event, handler

EVENT = event(encode(next(iter(cards(1, "clean", seed=3))).image))
FILES = {
    "alpha/__init__.py": "x = 1\n" * 2000,
    "alpha/tests/test_alpha.py": "assert True\n",
    "alpha/include/alpha.h": "int alpha;\n",
    "alpha/__init__.pyi": "x: int\n",
    "alpha-1.dist-info/licenses/LICENSE": "you may\n",
    "alpha/native.so": "needs libused-1.so.2\n",
    "alpha.libs/libused-1.so.2": "needs libdeeper.so\n",
    "alpha.libs/libdeeper.so": "needs nothing\n",
    "alpha.libs/libleft.so": "needs liblast.so\n",
    "alpha.libs/liblast.so": "needs nothing\n",
    "PIL/_avif.abi3.so": "needs libleft.so\n",
    "empty": "",
}


@pytest.fixture
def package(tmp_path):
    """A small one."""
    folder = tmp_path / "package"
    for name, text in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


def names(folder) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_the_size_is_that_of_the_zip_to_the_last_few_bytes(package, tmp_path):
    archive = sizes.write_zip(package, tmp_path / "package.zip")
    size = sizes.size(package)
    assert size.zipped == pytest.approx(archive.stat().st_size, abs=30)
    assert size.unpacked == sum(len(text) for text in FILES.values())
    (package / "alpha/__init__.py").write_text("")
    assert sizes.size(package).zipped < size.zipped, "a changed file is compressed anew"


def test_what_a_distribution_requires_comes_along_without_its_extras():
    known = {distribution.name.lower() for distribution in sizes.with_requirements(["onnxruntime"])}
    assert {"onnxruntime", "numpy", "flatbuffers", "protobuf", "packaging"} <= known
    assert "sympy" not in known and "pytest" not in known


def test_torch_alone_is_too_large_for_any_zip():
    limit = prices()["function_package_unpacked"].value * 2**20
    assert sizes.unpacked_bytes(["numpy"]) < sizes.unpacked_bytes(sizes.NEEDS) < limit
    assert sizes.unpacked_bytes(["torch"]) > limit


def test_tests_and_headers_go_and_licences_stay(package):
    sizes.without_tests(package)
    gone = {"alpha/tests/test_alpha.py", "alpha/include/alpha.h", "alpha/__init__.pyi"}
    assert set(FILES) - names(package) == gone


def test_libraries_go_that_nothing_asks_for_any_more(package):
    sizes.without_formats(package)
    gone = {"PIL/_avif.abi3.so", "alpha.libs/libleft.so", "alpha.libs/liblast.so"}
    assert set(FILES) - names(package) == gone


def test_byte_code_comes_and_goes(package):
    sizes.as_by_pip(package)
    assert any(name.endswith(".pyc") for name in names(package))
    sizes.without_byte_code(package)
    assert names(package) == set(FILES)
    sizes.compiled(package)
    (code,) = (package / "alpha/__pycache__").glob("__init__*.pyc")
    assert int.from_bytes(code.read_bytes()[4:8], "little") == 1, "by hash, and not compared"
    assert str(package).encode() not in code.read_bytes(), "no path of this machine"


def test_a_package_that_lacks_something_says_what(package):
    with pytest.raises(RuntimeError, match="No module named 'fsdl_deploy'"):
        sizes.read_by(package, EVENT)


def test_the_smallest_package_reads_a_card_with_nothing_else(tmp_path):
    whole = sizes.build(tmp_path / "package")
    before = sizes.unpacked_bytes(sizes.NEEDS)
    for shrink in (sizes.without_tests, sizes.without_unused, sizes.without_formats):
        shrink(whole)
    assert sizes.read_by(whole, EVENT) == handler(EVENT)
    assert not list(whole.rglob("*.pyc"))
    unpacked = sum(path.stat().st_size for path in whole.rglob("*") if path.is_file())
    assert unpacked < 0.95 * before
    assert not (whole / "fsdl_deploy" / "service").exists() and (whole / "models" / "v2.onnx").exists()
    assert sizes.read_by(whole, EVENT, compiling=True) == handler(EVENT)
    assert list((whole / "numpy").rglob("*.pyc"))


@pytest.mark.thorough
@pytest.mark.skipif(sys.platform != "linux", reason="other systems have other files")
def test_every_rung_reads_a_card_and_the_last_ones_fit_a_direct_upload(tmp_path):
    steps = list(sizes.climb(sizes.build(tmp_path / "package"), EVENT))
    assert [name for name, *_ in steps] == list(sizes.RUNGS)
    readings = [json.loads(answer["body"])["digits"] for *_, answer in steps]
    assert set(readings) == {json.loads(handler(EVENT)["body"])["digits"]}
    zipped = [size.zipped for _, size, _ in steps]
    shrinking = zipped[:-1]  # the last rung adds byte-code on purpose
    assert shrinking == sorted(shrinking, reverse=True) and zipped[-1] < zipped[0]
    assert zipped[-1] < prices()["function_package_zipped"].value * 2**20
