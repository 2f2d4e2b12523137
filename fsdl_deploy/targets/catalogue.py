"""The catalogue: which targets there are, as their ``target.toml`` say

``infra/edge/NAME/target.toml`` has a ``title``; the ``station`` whose Python runs ``read.py``, and the
``build-station`` for ``build.py`` where that is another (without one: the course's own Python); the station
whose npm ``packages`` a ``read.py`` in the course's own Python loads into a page or a program; the ``form``
of the artifact, one of ``FORMS``; which ``width`` of pictures it takes, one of ``WIDTHS``, with the
``buckets`` where those are fixed (columns of ink with its margin; pixels, where the form is "whole"); its
``status``; its ``licence``; the project's ``state`` in one dated sentence and the ``source`` for it; and for
each precision a table ``[variants.PRECISION]`` with its ``files``: ``read.py`` is given the first of them. A
variant of another form than its target says its own ``form``.

A variant with ``reads = false`` cannot be run on this kind of machine. With ``kept = false`` the files are
made into ``build/`` and not kept in ``models/edge``. ``sources`` are more files of the repository that the
artifacts are made from. Knows nothing of what a target does.
"""

import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path

from fsdl_deploy.paths import ROOT
from fsdl_deploy.running import stations

FORMS = {
    "whole": "uint8 picture in, digits and confidence out",
    "masked": "ink and the card's width in, log-probabilities and their number out",
    "bare": "ink in, log-probabilities out",
    "one digit": "a picture of a single digit in, which digit it is out",
}
WIDTHS = ("any", "multiples of 4", "buckets")
STATUS = ("runs", "checked")
OPEN = (8, 512)  # least and most of an axis that a probe leaves open
PROBING = (
    "try_operators.py",
    "try_onnx.py",
)  # what ``operators`` runs, from torch's modules and from ONNX files
_TEXTS = ("title", "form", "width", "status", "licence", "state", "source")
_OTHERS = {"station", "build-station", "packages", "buckets", "variants", "kept", "sources"}


class TargetError(RuntimeError):
    """A target that is wrongly declared, not built, or does not answer; the message says what to do."""

    def _render_traceback_(self) -> list[str]:
        """What a notebook shows: the sentence."""
        return [str(self)]


@dataclass(frozen=True)
class PrecisionVariant:
    """One precision of a target: its ``files``, the first of which is given to ``read.py``.

    ``form``: "" if it is the target's.
    """

    precision: str
    files: tuple[str, ...]
    reads: bool = True
    form: str = ""


@dataclass(frozen=True)
class Target:
    """What ``target.toml`` says; ``folder`` is where it lies, ``root`` the repository."""

    name: str
    folder: Path
    root: Path
    title: str
    form: str
    width: str
    status: str
    licence: str
    state: str
    source: str
    variants: dict[str, PrecisionVariant]
    station: str = ""
    build_station: str = ""
    packages: str = ""
    buckets: tuple[int, ...] = ()
    kept: bool = True
    sources: tuple[str, ...] = ()

    @property
    def artifacts(self) -> Path:
        """The folder of the files that ``build.py`` makes, there or not."""
        return self.root / ("models" if self.kept else "build") / "edge" / self.name

    def variant(self, precision: str) -> PrecisionVariant:
        """One of its variants; TargetError names those there are."""
        if precision not in self.variants:
            raise TargetError(f"{self.name} has no {precision}; it has: {', '.join(self.variants)}")
        return self.variants[precision]

    def form_of(self, precision: str) -> str:
        """The form of one variant's artifact: its own, or the target's."""
        return self.variant(precision).form or self.form

    def python(self, building: bool = False) -> Path:
        """The interpreter of its station, or this one; StationError says how to build a station it needs."""
        if self.packages and not building:
            stations.python(self.packages, self.root)
        name = (self.build_station if building else "") or self.station
        return stations.python(name, self.root) if name else Path(sys.executable)


def targets(root: Path = ROOT) -> dict[str, Target]:
    """Every target by its name; TargetError names the file that is wrong."""
    files = sorted((root / "infra" / "edge").glob("*/target.toml"))
    return {file.parent.name: _read(file, root) for file in files}


def target(name: str, root: Path = ROOT) -> Target:
    """One target, whatever is wrong with others; TargetError lists the names there are."""
    file = root / "infra" / "edge" / name / "target.toml"
    if not file.is_file():
        known = (path.parent.name for path in sorted((root / "infra" / "edge").glob("*/target.toml")))
        raise TargetError(f"there is no target {name!r}; there are: {', '.join(known) or 'none'}")
    return _read(file, root)


def _read(file: Path, root: Path) -> Target:
    where = file.relative_to(root).as_posix()
    try:
        document = tomllib.loads(file.read_text(encoding="utf-8"))
    except (ValueError, OSError) as error:
        raise TargetError(f"{where} is not TOML: {error}") from None
    if unknown := sorted(set(document) - {*_TEXTS, *_OTHERS}):
        raise TargetError(f"{where}: unknown {', '.join(unknown)}; see fsdl_deploy/targets/catalogue.py")
    for name in _TEXTS:
        if not isinstance(document.get(name), str) or not document[name].strip():
            raise TargetError(f"{where}: say in `{name}` a text")
    for name, known in (("form", FORMS), ("width", WIDTHS), ("status", STATUS)):
        if document[name] not in known:
            raise TargetError(f"{where}: {name} is one of {', '.join(known)}, not {document[name]!r}")
    buckets = tuple(document.get("buckets", ()))
    if (document["width"] == "buckets") != bool(buckets) or list(buckets) != sorted(set(buckets)):
        raise TargetError(f'{where}: buckets are widths in rising order, for `width = "buckets"` only')
    return Target(
        file.parent.name, file.parent, root, **{name: document[name] for name in _TEXTS},
        variants=_variants(document.get("variants"), where), station=document.get("station", ""),
        build_station=document.get("build-station", ""), packages=document.get("packages", ""),
        buckets=buckets, kept=document.get("kept", True), sources=tuple(document.get("sources", ())),
    )  # fmt: skip


def _variants(tables: object, where: str) -> dict[str, PrecisionVariant]:
    if not isinstance(tables, dict) or not tables:
        raise TargetError(f"{where}: a table [variants.PRECISION] with `files` is missing")
    variants = {}
    for precision, table in tables.items():
        files = table.get("files") if isinstance(table, dict) else None
        if not isinstance(files, list) or not files or not all(_plain(name) for name in files):
            raise TargetError(
                f"{where}: [variants.{precision}] needs `files`, a list of names without folders"
            )
        if (form := table.get("form", "")) and form not in FORMS:
            raise TargetError(
                f"{where}: [variants.{precision}] form is one of {', '.join(FORMS)}, not {form!r}"
            )
        reads = table.get("reads", True) is True
        variants[precision] = PrecisionVariant(precision, tuple(files), reads, form)
    return variants


def _plain(name: object) -> bool:
    return isinstance(name, str) and bool(name) and name not in (".", "..") and not {"/", "\\"} & {*name}
