"""The rules of the house: who may import whom. Imports are read from the sources, and nothing is run."""

import ast
import itertools
from pathlib import Path

import pytest

from fsdl_deploy.paths import ROOT

# From the ground up: a module imports only what stands on its own floor or below, and never in a circle.
FLOORS = (
    {
        "paths",
        "files",
        "dated_rows",
        "digits",
        "picture_parts",
        "plain_png",
        "labs",
        "notebooks",
    },  # the last two only say where former modules are
    {"cards", "customers", "drawing", "picture", "devices", "api_key", "deadline", "proxies"},
    {"reading", "figures"},
    {"preprocess", "ctc", "models", "weights", "reader", "remote"},
    {"measuring", "running"},
    {"packaging", "training"},
    {
        "prototype",
        "batch",
        "service",
        "optimization",
        "scaling",
        "rollouts",
        "monitoring",
        "delivery",
        "managed",
        "targets",
        "browser",
        "edge",
    },
    {"cli"},
)
WINGS = FLOORS[-2]
ACROSS = {
    ("batch", "service"),  # a web endpoint over the stored readings answers as the service does
    ("scaling", "managed"),  # a function has the limits and prices of the clouds
    ("managed", "scaling"),  # instances are counted by Erlang's formula, for the month's curve
    ("service", "optimization"),  # a cascade and a memory are options of the service
    ("rollouts", "service"),  # a service with two versions loaded
    ("rollouts", "scaling"),  # replicas and balancers, whose traffic moves from version to version
    ("monitoring", "rollouts"),  # what a meter can show
    ("monitoring", "service"),
    ("monitoring", "scaling"),
    ("delivery", "rollouts"),  # the same rule for what a meter can show
    ("delivery", "optimization"),  # a pipeline of models has the cascade in it
    ("delivery", "service"),
    ("targets", "optimization"),  # int8 leaves the nodes that resize a picture as they are
    ("edge", "targets"),  # what reads on a device is a target
    ("edge", "optimization"),  # counted work, int8, the cascade's threshold
    ("edge", "scaling"),  # the body of a request
    ("edge", "managed"),  # MLflow's server
    ("browser", "service"),  # the app's server listens as the service does
}


def modules(package: str) -> dict[str, Path]:
    """Every module of a package by its dotted name."""
    files = sorted((ROOT / package).rglob("*.py"))
    return {
        ".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): file
        for file in files
    }


def imported(file: Path) -> set[str]:
    """Dotted names of all that a file imports, at its top or inside its functions."""
    names = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{file}: a relative import"
            names |= {f"{node.module}.{alias.name}" for alias in node.names} | {node.module}
    return names


MODULES = modules("fsdl_deploy") | modules("fsdl_course")
GRAPH = {name: imported(file) & MODULES.keys() - {name} for name, file in MODULES.items()}


def part(module: str) -> str:
    """``fsdl_deploy.batch.store`` -> ``batch``: a wing, or a module on a floor of its own."""
    return module.split(".")[1] if "." in module else ""


def circles(graph: dict[str, set[str]]) -> list[str]:
    """Modules that import each other, each circle once, as text."""
    seen: dict[str, int] = {}  # 1: on the way, 2: done
    cycles = []

    def visit(name: str, way: list[str]) -> None:
        seen[name] = 1
        for other in sorted(graph[name]):
            if seen.get(other) == 1:
                cycles.append(" -> ".join([*way[way.index(other) :], other]))
            elif other not in seen:
                visit(other, [*way, other])
        seen[name] = 2

    for name in sorted(graph):
        if name not in seen:
            visit(name, [name])
    return cycles


def upward(graph: dict[str, set[str]]) -> list[str]:
    """Imports of ``fsdl_deploy`` that go up a floor, or from one wing to another that no list allows."""
    floor = {name: number for number, names in enumerate(FLOORS) for name in names}
    breaches = []
    for name, others in graph.items():
        for other in others:
            here, there = part(name), part(other)
            if "" in (here, there) or here == there:
                continue
            across = here in WINGS and there in WINGS and (here, there) not in ACROSS
            if floor[there] > floor[here] or across:
                breaches.append(f"{name} imports {other}")
    return breaches


def test_fsdl_deploy_never_imports_fsdl_course():
    breaches = [
        (name, other)
        for name, file in modules("fsdl_deploy").items()
        for other in imported(file)
        if other.split(".")[0] == "fsdl_course"
    ]
    assert not breaches


def test_no_module_imports_itself_by_way_of_others():
    assert circles(GRAPH) == []


def test_imports_go_down_the_floors():
    deploy = {name: others for name, others in GRAPH.items() if name.startswith("fsdl_deploy")}
    assert {part(name) for name in deploy} - {""} <= set(itertools.chain(*FLOORS))
    assert upward(deploy) == []


@pytest.mark.parametrize(
    "program", sorted((ROOT / "infra").rglob("*.py")), ids=lambda p: p.relative_to(ROOT).as_posix()
)
def test_what_infra_starts_needs_fsdl_deploy_alone(program):
    assert "fsdl_course" not in program.read_text(encoding="utf-8")


def test_a_breach_would_be_seen():
    good = {
        "fsdl_deploy.cards": set(),
        "fsdl_deploy.reader": {"fsdl_deploy.cards"},
        "fsdl_deploy.batch.job": set(),
    }
    assert circles(good) == upward(good) == []
    assert upward(good | {"fsdl_deploy.cards": {"fsdl_deploy.reader"}}) == [
        "fsdl_deploy.cards imports fsdl_deploy.reader"
    ]
    assert circles(good | {"fsdl_deploy.cards": {"fsdl_deploy.reader"}}) == [
        "fsdl_deploy.cards -> fsdl_deploy.reader -> fsdl_deploy.cards"
    ]
    assert upward(
        good
        | {
            "fsdl_deploy.batch.job": {"fsdl_deploy.optimization.caching"},
            "fsdl_deploy.optimization.caching": set(),
        }
    )


@pytest.mark.parametrize("name", sorted(MODULES))
def test_rooms_are_small(name):
    source = MODULES[name].read_text(encoding="utf-8")
    assert source.count("\n") <= 250
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert node.end_lineno - node.lineno < 60, (
                f"{node.name} has {node.end_lineno - node.lineno + 1} lines"
            )


def test_a_class_has_its_name_for_itself():
    places: dict[str, list[str]] = {}
    for name, file in MODULES.items():
        for node in ast.parse(file.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.ClassDef):
                places.setdefault(node.name, []).append(name)
    assert {name: where for name, where in places.items() if len(where) > 1} == {}


def test_no_module_uses_another_ones_private_names():
    breaches = []
    for name, file in MODULES.items():
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.module.split(".")[0] in (
                "fsdl_deploy",
                "fsdl_course",
            ):
                breaches += [f"{name}: {alias.name}" for alias in node.names if alias.name.startswith("_")]
    assert not breaches


def test_names_say_what_a_value_is():
    """A reading is no ``found``, a response no ``said``: a value has a name in the field."""
    vague = {"found", "told", "said", "one", "wanted", "done", "made", "shown"}
    folders = ("fsdl_deploy", "fsdl_course", "infra", "notebooks/source", "solutions", "tests")
    breaches = []
    for file in (path for folder in folders for path in (ROOT / folder).rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            name = getattr(node, "name", None) if isinstance(node, ast.FunctionDef) else None
            name = name or (node.arg if isinstance(node, ast.arg) else None)
            name = name or (
                node.id if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store) else None
            )
            breaches += [f"{file.relative_to(ROOT)}:{node.lineno}: {name}"] if name in vague else []
    assert breaches == []
