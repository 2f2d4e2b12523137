"""Compare manifests with KServe's own classes: ``check.py FILE …`` prints every field that they do not have.

No cluster is needed: the classes of KServe's and of Kubernetes' client were made from the definitions that a
cluster checks manifests with, and say which fields there are and of which types.
"""

import re
import sys
from collections.abc import Iterator
from pathlib import Path

import kserve.models
import kubernetes.client.models
import yaml

PLAIN = {"str": str, "int": int, "float": (int, float), "bool": bool}
NESTED = re.compile(r"(list|dict)[\[(](?:str, )?(.+)[\])]", re.IGNORECASE)


def problems(value: object, kind: str, where: str) -> Iterator[str]:
    """What is wrong with ``value`` as a ``kind``: "V1Container", "list[str]", "dict(str, str)" and so on."""
    nested = NESTED.fullmatch(kind)
    expected = PLAIN.get(kind, list if nested and nested[1].lower() == "list" else dict)
    if kind == "object":
        return
    if not isinstance(value, expected) or (isinstance(value, bool) and kind != "bool"):
        yield f"{where}: must be {kind}"
    elif nested:
        for place, element in enumerate(value) if expected is list else value.items():
            yield from problems(element, nested[2], f"{where}.{place}")
    elif expected is dict:
        model = getattr(kserve.models, kind, None) or getattr(kubernetes.client.models, kind)
        fields = {field: model.openapi_types[name] for name, field in model.attribute_map.items()}
        for key, content in value.items():
            if key in fields:
                yield from problems(content, fields[key], f"{where}.{key}")
            else:
                yield f"{where}.{key}: {kind} has no such field"


if __name__ == "__main__":
    status = 0
    for path in map(Path, sys.argv[1:]):
        manifest = yaml.safe_load(path.read_text(encoding="utf-8"))
        kind = str(manifest.get("kind"))
        faults = list(problems(manifest, f"V1beta1{kind}", kind))
        print(f"{path.name}:", *faults or ["nothing is wrong"], sep="\n  ")
        status |= bool(faults)
    sys.exit(status)
