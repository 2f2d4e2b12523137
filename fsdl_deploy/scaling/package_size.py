"""The package of a function: what goes into it, how large it is, and how it shrinks rung by rung

A package is a folder with all that the function imports, zipped for the upload. A cloud limits the zip and
what it unpacks to. Each rung leaves out more, and after each the function must still read a card. What is
installed here is copied, so on macOS and Windows the sizes are those of their own files, which Lambda could
not run.
"""

import functools
import json
import shutil
import subprocess
import sys
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from fsdl_deploy.packaging.build_context import copy_reader
from fsdl_deploy.reader import LATEST

NEEDS = ("numpy", "onnxruntime", "pillow")
HANDLER = "fsdl_deploy.scaling.serverless.handler"
_ENTRY, _END = 30 + 46, 22  # bytes in a zip: for each file, beside its name twice and its content; at the end


@dataclass(frozen=True)
class PackageSize:
    """Bytes of a package: of its zip, and unpacked."""

    zipped: int
    unpacked: int


def with_requirements(names: Sequence[str]) -> list[metadata.Distribution]:
    """These distributions and all that they require here, without extras; each once."""
    from packaging.requirements import Requirement
    from packaging.utils import canonicalize_name

    known, waiting = {}, list(names)
    while waiting:
        distribution = metadata.distribution(waiting.pop())
        key = canonicalize_name(distribution.name)
        if key in known:
            continue
        known[key] = distribution
        for text in distribution.requires or ():
            requirement = Requirement(text)
            if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
                waiting.append(requirement.name)
    return list(known.values())


def installed_files(distribution: metadata.Distribution) -> Iterator[tuple[str, Path]]:
    """What pip puts into a package for it, by its path there: modules and libraries, no programs."""
    for file in distribution.files or ():
        if file.parts[0] != ".." and "__pycache__" not in file.parts:
            yield file.as_posix(), Path(distribution.locate_file(file))


def unpacked(package: Path) -> int:
    """Bytes of all files of a package; quicker than ``size``, which also compresses them."""
    return sum(file.stat().st_size for file in _files(package))


def unpacked_bytes(names: Sequence[str]) -> int:
    """The size of these distributions with all that they require, unpacked."""
    return sum(
        path.stat().st_size
        for distribution in with_requirements(names)
        for _, path in installed_files(distribution)
        if path.is_file()
    )


def build(to: Path, version: str = LATEST, names: Sequence[str] = NEEDS) -> Path:
    """Make the package in the folder ``to``: these distributions, ``fsdl_deploy`` and a model."""
    for distribution in with_requirements(names):
        for name, path in installed_files(distribution):
            if path.is_file():
                (to / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(path, to / name)
    copy_reader(to, version)
    return to


def size(package: Path) -> PackageSize:
    """How large it is, and how large its zip would be; no zip is written."""
    files = _files(package)
    with ThreadPoolExecutor() as together:  # zlib lets other threads run
        zipped = list(together.map(_deflated, files))
    entries = sum(_ENTRY + 2 * len(file.relative_to(package).as_posix().encode()) for file in files)
    return PackageSize(sum(zipped) + entries + _END, unpacked(package))


def write_zip(package: Path, to: Path) -> Path:
    """The package as a cloud takes it."""
    with zipfile.ZipFile(to, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in _files(package):
            archive.write(file, file.relative_to(package).as_posix())
    return to


def read_by(package: Path, event: dict, *, compiling: bool = False, timeout: float = 120) -> dict:
    """What the handler of the package answers to an event, with nothing but the package and Python's library.

    ``compiling``: the byte-code of what is imported stays in the package, as on any disk of one's own.
    Raises RuntimeError with the end of what the process wrote, if it cannot.
    """
    program = "import sys, json; sys.path.insert(0, sys.argv[1])\n"
    program += f"from {HANDLER.rpartition('.')[0]} import handler\n"
    program += "print(json.dumps(handler(json.load(sys.stdin), None)))"
    options = ["-I", "-S"] if compiling else ["-I", "-S", "-B"]
    command = [sys.executable, *options, "-c", program, str(package)]
    process = subprocess.run(
        command, input=json.dumps(event), capture_output=True, text=True, timeout=timeout
    )
    if process.returncode:
        raise RuntimeError(f"the package does not work: {process.stderr.strip()[-600:]}")
    return json.loads(process.stdout.splitlines()[-1])


def as_by_pip(package: Path) -> None:
    """Add the byte-code of every module, as pip does when it installs."""
    _compile(package, "timestamp")


def without_byte_code(package: Path) -> None:
    """Leave out the byte-code: Python can make it anew, at each start."""
    for folder in list(package.rglob("__pycache__")):
        shutil.rmtree(folder)


def without_tests(package: Path) -> None:
    """Leave out the packages' own tests, stubs for type checkers, and what C programs would include."""
    for name in ("tests", "include"):
        for folder in list(package.rglob(name)):
            shutil.rmtree(folder, ignore_errors=True)
    for file in _files(package):
        if file.suffix in (".pyi", ".h", ".pxd", ".pyx", ".c", ".a", ".lib"):
            file.unlink()


def without_unused(package: Path) -> None:
    """Leave out modules that reading a card never imports: quantizing, compiling Fortran, most of our own.

    Licences stay: whoever passes a library on passes its licence on.
    """
    for name in ("tools", "transformers", "quantization", "backend", "datasets"):
        shutil.rmtree(package / "onnxruntime" / name, ignore_errors=True)
    for name in ("f2py", "distutils", "typing"):
        shutil.rmtree(package / "numpy" / name, ignore_errors=True)
    own = package / "fsdl_deploy"
    for folder in [path for path in own.iterdir() if path.is_dir() and path.name != "scaling"]:
        shutil.rmtree(folder)


def without_formats(package: Path) -> None:
    """Leave out of Pillow what no card is (AVIF), and fonts and colour profiles; then libraries of no use."""
    for name in ("_avif", "_imagingft", "_imagingcms", "_imagingtk", "_imagingmath", "_imagingmorph"):
        for file in (package / "PIL").glob(f"{name}.*"):
            file.unlink()
    while unused := _unused_libraries(package):
        for file in unused:
            file.unlink()


def stripped(package: Path) -> None:
    """Take the names of their functions out of libraries, with ``strip``, where that is installed.

    Not out of those that a wheel brings along in NAME.libs: they were altered when the wheel was made, and
    ``strip`` breaks numpy's.
    """
    if program := shutil.which("strip"):
        for file in _files(package):
            if ".so" in file.name and not file.parent.name.endswith(".libs"):
                subprocess.run([program, "--strip-unneeded", file], capture_output=True, timeout=120)


def compiled(package: Path) -> None:
    """Add the byte-code of what is left: a cloud's folder is read-only, and each start would make it anew.

    It is marked as not to be compared with the sources, whose times of change a zip does not keep.
    """
    _compile(package, "unchecked-hash")


RUNGS: dict[str, Callable[[Path], None]] = {
    "as pip installs it": as_by_pip,
    "without byte-code": without_byte_code,
    "without tests and headers": without_tests,
    "without modules of no use here": without_unused,
    "without picture formats of no use": without_formats,
    "libraries stripped": stripped,
    "byte-code of what is left": compiled,
}


def climb(package: Path, event: dict) -> Iterator[tuple[str, PackageSize, dict]]:
    """Shrink the package rung by rung: each one's name, its size, and what the handler answers after it."""
    with ThreadPoolExecutor(1) as beside:
        for name, shrink in RUNGS.items():
            shrink(package)
            answer = beside.submit(read_by, package, event)
            yield name, size(package), answer.result()


def _files(package: Path) -> list[Path]:
    return sorted(path for path in package.rglob("*") if path.is_file())


def _compile(package: Path, mode: str) -> None:
    options = ["-q", "-f", "-j", "0", "-s", str(package), "--invalidation-mode", mode]
    command = [sys.executable, "-I", "-S", "-m", "compileall", *options, str(package)]
    subprocess.run(command, capture_output=True, timeout=600)  # it fails for a module of another Python


def _deflated(file: Path) -> int:
    about = file.stat()
    return _zlib(file, about.st_size, about.st_mtime_ns) if about.st_size else 0


@functools.lru_cache(maxsize=20_000)
def _zlib(file: Path, size: int, changed: int) -> int:
    """Bytes of the compressed file; remembered until it changes: most rungs leave most files as they are."""
    return len(zlib.compress(file.read_bytes(), 6, wbits=-15))


def _unused_libraries(package: Path) -> list[Path]:
    """Libraries beside a distribution (in NAME.libs) that no other file of the package asks for."""
    libraries = [file for file in package.glob("*.libs/*") if ".so" in file.name]
    texts = {file: file.read_bytes() for file in _files(package) if ".so" in file.name}
    return [
        library
        for library in libraries
        if not any(library.name.encode() in text for file, text in texts.items() if file != library)
    ]
