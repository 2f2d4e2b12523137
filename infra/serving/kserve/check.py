"""Compare manifests with KServe's own classes: ``check.py FILE …`` prints every field that they do not have.

No cluster is needed: the classes of KServe's and of Kubernetes' client were made from the definitions that a
cluster checks manifests with, and say which fields there are and of which types.
"""

import sys
from functools import cache
from pathlib import Path

import kserve.models
import kubernetes.client.models
import yaml

from fsdl_deploy.scaling.manifest_fields import Fields, kind_of, problems


@cache
def kinds(name: str) -> Fields:
    """What a kind has, by KServe's classes, or else by Kubernetes'."""
    return kind_of(getattr(kserve.models, name, None) or getattr(kubernetes.client.models, name))


if __name__ == "__main__":
    status = 0
    for path in map(Path, sys.argv[1:]):
        manifest = yaml.safe_load(path.read_text(encoding="utf-8"))
        kind = str(manifest.get("kind"))
        faults = list(problems(manifest, f"V1beta1{kind}", kind, kinds))
        print(f"{path.name}:", *faults or ["nothing is wrong"], sep="\n  ")
        status |= bool(faults)
    sys.exit(status)
