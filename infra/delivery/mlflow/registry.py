"""A session with MLflow's registry: commands come as JSON lines, answers go back as JSON lines.

python registry.py FOLDER        (the folder of the registry's SQLite file and of the models' files)

The notebook shows these functions and calls them from outside, because MLflow lives in a station. Look-ups
of hosts are noted and refused: the command ``hosts`` says which were tried.
"""

import hashlib
import json
import socket
import sys
import time
import warnings
from contextlib import redirect_stdout
from pathlib import Path
from urllib.parse import quote

HOSTS = []
NAME = "meter-reader"


def refuse(host, *rest, **options):
    """In place of a look-up: note the host, and fail as without a network."""
    HOSTS.append(str(host))
    raise OSError(f"no network: {host} is not looked up")


def digest(path) -> str:
    """The SHA-256 of a file."""
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()


def open_registry(folder):
    """A client of the registry in this folder; the tables are made where there are none."""
    import mlflow
    from mlflow import MlflowClient

    mlflow.set_tracking_uri(f"sqlite:///{quote(str(folder))}/mlflow.db")
    client = MlflowClient()
    if client.get_experiment_by_name(NAME) is None:
        client.create_experiment(NAME, artifact_location=Path(folder, "artifacts").as_uri())
    return client


def register(client, file, metrics, recipe):
    """A run with its metrics and its file, and a version of the model that points to the run."""
    import mlflow

    experiment = client.get_experiment_by_name(NAME).experiment_id
    with mlflow.start_run(experiment_id=experiment, run_name=Path(file).stem) as run:
        mlflow.log_params(recipe)
        mlflow.log_metrics(metrics)
        mlflow.log_artifact(file, "model")
    if not client.search_registered_models(f"name = '{NAME}'"):
        client.create_registered_model(NAME)
    source = f"{run.info.artifact_uri}/model"
    tags = {"sha256": digest(file), "file": Path(file).name}
    return client.create_model_version(NAME, source, run.info.run_id, tags=tags).version


def point(client, alias, version):
    """Let an alias mean this version, whatever it meant before."""
    client.set_registered_model_alias(NAME, alias, version)


def behind(client, alias):
    """The version that an alias means now."""
    return client.get_model_version_by_alias(NAME, alias).version


def lineage(client, alias):
    """From an alias to the file: version, run, metrics, recipe, digest."""
    version = client.get_model_version_by_alias(NAME, alias)
    run = client.get_run(version.run_id)
    return {
        "version": version.version,
        "run": run.info.run_name,
        "metrics": run.data.metrics,
        "recipe": run.data.params,
        "file": version.tags["file"],
        "sha256": version.tags["sha256"],
    }


def fetch(client, alias, check=True):
    """The file behind an alias. ``check``: only if its digest is the one that was registered."""
    import mlflow

    folder = mlflow.artifacts.download_artifacts(f"models:/{NAME}@{alias}")
    version = client.get_model_version_by_alias(NAME, alias)
    file = Path(folder, version.tags["file"])
    if check and digest(file) != version.tags["sha256"]:
        raise ValueError(f"{file.name} is not the file that was registered as version {version.version}")
    return str(file)


def stage(client, version, stage):
    """The old way: a stage. What MLflow says of it goes back with the answer."""
    with warnings.catch_warnings(record=True) as spoken:
        warnings.simplefilter("always")
        version = client.transition_model_version_stage(NAME, version, stage)
    texts = [str(warning.message) for warning in spoken if warning.category is FutureWarning]
    return {"stage": version.current_stage, "says": texts[0].split(". ")[0] if texts else ""}


def delete(client, version):
    """Remove a version, whether or not an alias means it."""
    client.delete_model_version(NAME, version)


def hosts(client):
    """Which hosts this process wanted to look up so far."""
    time.sleep(2)  # a report is sent by a thread of its own
    return sorted(set(HOSTS))


COMMANDS = {
    command.__name__: command for command in (register, point, behind, lineage, fetch, stage, delete, hosts)
}


def main():
    socket.getaddrinfo = refuse
    answers = sys.stdout
    with redirect_stdout(sys.stderr):
        client = open_registry(sys.argv[1])
        print(json.dumps({"answer": "ready"}), file=answers, flush=True)
        for line in sys.stdin:
            command, arguments = json.loads(line)
            try:
                answer = {"answer": COMMANDS[command](client, **arguments)}
            except Exception as error:
                answer = {"error": str(error)}
            print(json.dumps(answer), file=answers, flush=True)


if __name__ == "__main__":
    main()
