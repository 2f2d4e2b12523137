"""Size and latency as metrics: each version's figures in MLflow, beside its accuracy, by its REST API

*Make sure to add metrics around the model size and edge performance to your experiment tracking*, says the
lecture. A version is a run, a figure of the budget a metric. The server is the station mlflow's.
"""

import time
from collections.abc import Mapping

import httpx2

from fsdl_deploy.managed.mlflow_serving import API, TrackingError
from fsdl_deploy.measuring.table import Table

EXPERIMENT = "meter reader on the edge"


def _asked(url: str, path: str, **body) -> dict:
    try:
        response = httpx2.post(f"{url}{API}{path}", json=body, timeout=60, trust_env=False)
    except httpx2.TransportError as error:
        raise TrackingError(f"the tracking server does not answer: {error}") from None
    if response.status_code >= 400:
        raise TrackingError(response.json().get("message", response.text))
    return response.json()


def experiment(url: str, name: str = EXPERIMENT) -> str:
    """The id of an experiment, which is made where there is none. Raises TrackingError if MLflow refuses."""
    for known in _asked(url, "/experiments/search", max_results=100).get("experiments", []):
        if known["name"] == name:
            return known["experiment_id"]
    return _asked(url, "/experiments/create", name=name)["experiment_id"]


def log(url: str, version: str, figures: Mapping[str, float], name: str = EXPERIMENT) -> str:
    """Keep a version's figures as the metrics of a new run; its id."""
    now = int(1000 * time.time())
    run = _asked(url, "/runs/create", experiment_id=experiment(url, name), run_name=version, start_time=now)[
        "run"
    ]["info"]["run_id"]
    metrics = [
        {"key": key, "value": float(value), "timestamp": now, "step": 0} for key, value in figures.items()
    ]
    _asked(url, "/runs/log-batch", run_id=run, metrics=metrics)
    _asked(url, "/runs/update", run_id=run, status="FINISHED", end_time=now)
    return run


def runs(url: str, where: str = "", name: str = EXPERIMENT) -> dict[str, dict[str, float]]:
    """Metrics by version, the newest run of each; ``where`` is MLflow's filter: ``metrics.bytes <
    600000``.
    """
    answer = _asked(
        url, "/runs/search", experiment_ids=[experiment(url, name)], filter=where, max_results=1000,
        order_by=["attributes.start_time ASC"],
    )  # fmt: skip
    return {
        run["info"]["run_name"]: {m["key"]: m["value"] for m in run["data"].get("metrics", [])}
        for run in answer.get("runs", [])
    }


def table(versions: Mapping[str, Mapping[str, float]]) -> Table:
    """The runs as MLflow has them."""
    names = list(dict.fromkeys(name for figures in versions.values() for name in figures))
    rows = [[version, *(figures.get(name) for name in names)] for version, figures in versions.items()]
    most = [max(figures.get(name, 0) for figures in versions.values()) for name in names]
    return Table(["version", *names], *rows, formats=["", *(",.0f" if m >= 1000 else ".3g" for m in most)])
