"""Compare resources with their own clients' classes: YAML texts in, what is wrong with each out, as JSON.

KServe's with ``kserve``, a TrainJob with Kubeflow's own, what is inside a pod with ``kubernetes``. For
Seldon's there is no such client: ``seldon.toml`` is our own list of its fields. A kind that none of them
knows is a problem.
"""

import json
import sys
import tomllib
from functools import cache
from pathlib import Path

import kserve.models
import kubeflow_trainer_api.models as trainer
import kubernetes.client.models
import yaml
from pydantic import ValidationError

from fsdl_deploy.scaling.manifest_fields import Fields, kind_of, problems

SELDON = tomllib.loads(Path(__file__).with_name("seldon.toml").read_text(encoding="utf-8"))
CLASSES = {
    ("serving.kserve.io/v1beta1", "InferenceService"): "V1beta1InferenceService",
    ("machinelearning.seldon.io/v1", "SeldonDeployment"): "SeldonDeployment",
}
TRAIN_JOB = ("trainer.kubeflow.org/v1alpha1", "TrainJob")


@cache
def kinds(name: str) -> Fields:
    """What a kind has, by whoever knows it."""
    if name in SELDON:
        return Fields(SELDON[name]["fields"], frozenset(SELDON[name].get("required", ())))
    return kind_of(getattr(kserve.models, name, None) or getattr(kubernetes.client.models, name))


def of_trainer(resource: dict) -> list[str]:
    """Kubeflow's classes check types themselves, and drop what they do not know: what is gone was unknown."""
    try:
        known = trainer.TrainerV1alpha1TrainJob.from_dict(resource).to_dict()
    except ValidationError as error:
        return [f"TrainJob.{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors()]
    return [f"{place}: TrainJob has no such field" for place in lost(resource, known, "TrainJob")]


def lost(value: object, known: object, where: str) -> list[str]:
    if isinstance(value, dict) and isinstance(known, dict):
        places = [f"{where}.{key}" for key in value if key not in known]
        return places + [
            place for key in value if key in known for place in lost(value[key], known[key], f"{where}.{key}")
        ]
    if isinstance(value, list) and isinstance(known, list):
        return [
            place
            for i, (a, b) in enumerate(zip(value, known, strict=True))
            for place in lost(a, b, f"{where}.{i}")
        ]
    return []


def check(text: str) -> list[str]:
    """What is wrong with the one resource in this text."""
    try:
        resource = yaml.safe_load(text)
    except yaml.YAMLError as error:
        return [f"not YAML: {' '.join(str(error).split())}"]
    if not isinstance(resource, dict):
        return ["not a resource: it has no apiVersion and no kind"]
    what = (str(resource.get("apiVersion")), str(resource.get("kind")))
    if what == TRAIN_JOB:
        return of_trainer(resource)
    if what not in CLASSES:
        return [f"no client knows a {what[1]} of {what[0]}"]
    return list(problems(resource, CLASSES[what], what[1], kinds))


if __name__ == "__main__":
    print(json.dumps([check(text) for text in json.load(sys.stdin)]))
