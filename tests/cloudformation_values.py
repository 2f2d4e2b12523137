"""A CloudFormation template with its functions worked out: what each resource would be made with."""

import re
from pathlib import Path

import yaml

ACCOUNT, REGION = "123456789012", "us-east-1"


class _Loader(yaml.SafeLoader):
    pass


def _function(loader, suffix, node):
    read = {yaml.ScalarNode: loader.construct_scalar, yaml.SequenceNode: loader.construct_sequence,
            yaml.MappingNode: loader.construct_mapping}[type(node)]  # fmt: skip
    value = read(node) if isinstance(node, yaml.ScalarNode) else read(node, deep=True)
    return {f"!{suffix}": value}


_Loader.add_multi_constructor("!", _function)


def resources(file: Path, **parameters) -> list[tuple[str, dict]]:
    """Type and properties of each resource that would be made; others than the default parameters by name."""
    document = yaml.load(file.read_text(encoding="utf-8"), _Loader)
    known = {name: entry["Default"] for name, entry in document["Parameters"].items()} | parameters
    known |= {"AWS::AccountId": ACCOUNT, "AWS::Region": REGION, "AWS::NoValue": None}
    created, conditions = document["Resources"], document["Conditions"]

    def condition(name):
        return value(conditions[name])

    def reference(name):
        if name in known:
            return known[name]
        kind, properties = created[name]["Type"], value(created[name]["Properties"])
        if kind == "AWS::SNS::Topic":
            return f"arn:aws:sns:{REGION}:{ACCOUNT}:{properties['TopicName']}"
        return properties["BucketName"]

    def attribute(text):
        name, field = text.split(".")
        properties = value(created[name]["Properties"])
        return (
            f"arn:aws:iam::{ACCOUNT}:role/{properties['RoleName']}" if field == "Arn" else properties[field]
        )

    def value(entry):
        if isinstance(entry, list):
            return [item for item in map(value, entry) if item is not None]
        if not isinstance(entry, dict):
            return entry
        ((name, inner),) = list(entry.items())[:1] or [("", None)]
        if name == "!Ref":
            return reference(inner)
        if name == "!GetAtt":
            return attribute(inner)
        if name == "!Sub":
            return re.sub(r"\$\{([^}]+)\}", lambda match: str(reference(match[1])), inner)
        if name == "!If":
            return value(inner[1] if condition(inner[0]) else inner[2])
        if name == "!Equals":
            return value(inner[0]) == value(inner[1])
        if name == "!Not":
            return not value(inner[0])
        filled = {key: value(item) for key, item in entry.items()}
        return {key: item for key, item in filled.items() if item is not None}

    return [
        (entry["Type"], value(entry["Properties"]))
        for entry in created.values()
        if "Condition" not in entry or condition(entry["Condition"])
    ]
