"""What Kubernetes' own schemas find wrong in manifests: ``check.py VERSION``, YAML in, problems out.

From standard input a list of YAML texts, to standard output a list of problems for each. As
``kubernetes-validate --strict`` does it, but for a kind that a version of Kubernetes does not know: that is a
problem here, and only a warning there.
"""

import json
import sys

import kubernetes_validate
import yaml


def problems(text: str, version: str) -> list[str]:
    """Each problem with its resource and field; only the first of a resource."""
    try:
        resources = [resource for resource in yaml.safe_load_all(text) if resource]
    except yaml.YAMLError as error:
        return [f"not YAML: {' '.join(str(error).split())}"]
    return [problem for resource in resources if (problem := problem_of(resource, version))]


def problem_of(resource: object, version: str) -> str | None:
    if not isinstance(resource, dict) or not {"apiVersion", "kind"} <= resource.keys():
        return "a resource has an apiVersion and a kind"
    try:
        kubernetes_validate.validate(resource, version, strict=True)
    except kubernetes_validate.ValidationError as error:
        return f"{'.'.join([resource['kind'], *map(str, error.path)])}: {error.message}"
    except kubernetes_validate.SchemaNotFoundError:
        return f"{resource['kind']}: Kubernetes {version} does not know it as {resource['apiVersion']}"
    return None


if __name__ == "__main__":
    print(json.dumps([problems(text, sys.argv[1]) for text in json.load(sys.stdin)]))
