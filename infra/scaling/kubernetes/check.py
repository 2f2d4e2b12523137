"""What Kubernetes' own schemas find wrong in manifests: ``check.py VERSION``, YAML in, problems out.

From standard input a list of YAML texts, to standard output a list of problems for each. As
``kubernetes-validate --strict`` does it, but for a kind that a version of Kubernetes does not know: that is a
problem here, and only a warning there.
"""

import json
import sys

import kubernetes_validate
import yaml


class Loader(yaml.SafeLoader):
    """YAML whose mappings name each key once: of two, the last would win without a word."""

    def construct_mapping(self, node, deep=False):
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        if twice := next((key for key in keys if keys.count(key) > 1), None):
            raise yaml.constructor.ConstructorError(None, None, f"{twice} stands twice", node.start_mark)
        return super().construct_mapping(node, deep)


def problems(text: str, version: str) -> list[str]:
    """Each problem with its resource and field; only the first of a resource."""
    try:
        resources = [resource for resource in yaml.load_all(text, Loader) if resource]
    except yaml.YAMLError as error:
        return [f"not YAML: {' '.join(str(error).split())}"]
    return [problem for resource in resources if (problem := problem_of(resource, version))]


def problem_of(resource: object, version: str) -> str | None:
    if not isinstance(resource, dict) or not all(
        isinstance(resource.get(key), str) for key in ("apiVersion", "kind")
    ):
        return "a resource has an apiVersion and a kind"
    try:
        kubernetes_validate.validate(resource, version, strict=True)
    except kubernetes_validate.ValidationError as error:
        return f"{'.'.join([resource['kind'], *map(str, error.path)])}: {error.message}"
    except kubernetes_validate.utils.VersionNotSupportedError:
        return f"no schemas of Kubernetes {version} are here"
    except kubernetes_validate.SchemaNotFoundError:
        return f"{resource['kind']}: Kubernetes {version} does not know it as {resource['apiVersion']}"
    return None


if __name__ == "__main__":
    print(json.dumps([problems(text, sys.argv[1]) for text in json.load(sys.stdin)]))
