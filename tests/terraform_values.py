"""Terraform's configuration with its expressions worked out, as CloudFormation writes the same resources.

Not Terraform: it knows the few expressions that ``main.tf`` uses, and ends at any other.
"""

import json
import re
import subprocess
from pathlib import Path

ACCOUNT = "123456789012"
PARSE = "import hcl2, json, sys; print(json.dumps(hcl2.load(open(sys.argv[1], encoding='utf-8'))))"


def parsed(python: Path, file: Path) -> dict:
    """The file as the parser of ``python`` reads it: each attribute and each block is a list."""
    run = subprocess.run([python, "-c", PARSE, file], capture_output=True, text=True, timeout=120)
    assert run.returncode == 0, run.stderr[-2000:]
    return json.loads(run.stdout)


class Terraform:
    def __init__(self, document: dict, **variables):
        self.blocks = {
            kind: {(type_, label): body for entry in document[kind] for type_, labels in entry.items()
                   for label, body in labels.items()}
            for kind in ("resource", "data")
        }  # fmt: skip
        self.variables = {
            name: body["default"][0] for entry in document["variable"] for name, body in entry.items()
        } | variables
        self.locals = {name: value[0] for name, value in document["locals"][0].items() if name[0] != "_"}

    def all(self, type_: str) -> list[dict]:
        """The attributes of each resource of a type, with one for each key of its ``for_each``."""
        instances = []
        for (kind, _), body in self.blocks["resource"].items():
            if kind == type_:
                for each in self._instances(body):
                    instances.append(self.block(body, {"each": each} if each else {}))
        return instances

    def _instances(self, body: dict) -> list[dict | None]:
        if "count" in body:
            return [None] * self.value(body["count"][0], {})
        if "for_each" not in body:
            return [None]
        return [{"key": key, "value": value} for key, value in self.value(body["for_each"][0], {}).items()]

    def block(self, body: dict, scope: dict) -> dict:
        """A block's attributes; blocks inside it are lists of blocks."""
        filled: dict = {}
        for name, entries in body.items():
            if name == "dynamic":
                for entry in entries:
                    for inner, part in entry.items():
                        filled[inner] = self._repeated(inner, part, scope)
            elif name[0] != "_" and name not in ("for_each", "depends_on", "count"):
                blocks = [entry for entry in entries if isinstance(entry, dict) and "__start_line__" in entry]
                simple = name in ("dimensions", "tags")
                dicts = [entry for entry in entries if isinstance(entry, dict)]
                if (blocks or dicts) and not simple:
                    filled[name] = [self.block(entry, scope) for entry in dicts]
                else:
                    filled[name] = self.value(entries[0], scope)
        return filled

    def _repeated(self, name: str, part: dict, scope: dict) -> list[dict]:
        many = self.value(part["for_each"][0], scope)
        pairs = many.items() if isinstance(many, dict) else enumerate(many)
        return [
            self.block(part["content"][0], scope | {name: {"key": key, "value": value}})
            for key, value in pairs
        ]

    def value(self, entry: object, scope: dict):
        """A value of the parser's, in which ``${...}`` are expressions."""
        if isinstance(entry, list):
            return [self.value(item, scope) for item in entry]
        if isinstance(entry, dict):
            return {key: self.value(item, scope) for key, item in entry.items()}
        if not isinstance(entry, str):
            return entry
        if " == " in entry:  # the parser writes the branches as texts with expressions in them
            entry = "${" + re.sub(r"'?\$\{([^{}]*)\}'?", r"\1", entry[2:-1]) + "}"
        if whole := re.fullmatch(r"\$\{([^{}]*)\}", entry):
            return self.expression(whole[1].strip(), scope)
        return re.sub(r"\$\{([^{}]*)\}", lambda part: str(self.expression(part[1], scope)), entry)

    def expression(self, text: str, scope: dict):
        if choice := re.fullmatch(r'(\S+) ?== ?"" ?\? ?(.+?) ?: ?(.+)', text):
            return self.expression(choice[2 if self.expression(choice[1], scope) == "" else 3], scope)
        if many := re.fullmatch(r"\[(.*)\]", text):
            return [self.expression(item.strip(), scope) for item in many[1].split(",") if item.strip()]
        if call := re.fullmatch(r'format\("(.*)%s", ?(\S+)\)', text):
            return call[1] + self.expression(call[2], scope)
        if re.fullmatch(r"\d+", text):
            return int(text)
        path = re.sub(r"\[[^\]]*\]", "", text).split(".")
        index = re.search(r"\[([^\]]*)\]", text)
        return self._named(path, self.expression(index[1], scope) if index else None, scope)

    def _named(self, path: list[str], key: str | None, scope: dict):
        first, *rest = path
        if first == "var":
            return self.variables[rest[0]]
        if first == "local":
            return self.value(self.locals[rest[0]], {})
        if first in scope:
            return scope[first][rest[0]]
        if path[:2] == ["data", "aws_caller_identity"]:
            return ACCOUNT
        if path[:2] == ["data", "aws_iam_policy_document"]:
            return policy(self.block(self.blocks["data"][path[1], path[2]], {}))
        body = self.blocks["resource"][first, rest[0]]
        attributes = self.block(body, {"each": {"key": key, "value": None}} if key else {})
        arns = {
            "aws_iam_role": f"arn:aws:iam::{ACCOUNT}:role/",
            "aws_sns_topic": f"arn:aws:sns:us-east-1:{ACCOUNT}:",
        }
        return arns[first] + attributes["name"] if rest[1] == "arn" else attributes[rest[1]]


def policy(document: dict) -> dict:
    """A policy document as JSON has it."""
    statements = []
    for entry in document["statement"]:
        new = {"Effect": entry["effect"], "Action": single(entry["actions"])}
        if "resources" in entry:
            new["Resource"] = single(entry["resources"])
        if "principals" in entry:
            new["Principal"] = {part["type"]: single(part["identifiers"]) for part in entry["principals"]}
        if "condition" in entry:
            new["Condition"] = {
                part["test"]: {part["variable"]: part["values"]} for part in entry["condition"]
            }
        statements.append(new)
    return {"Version": "2012-10-17", "Statement": statements}


def single(values: list):
    return values[0] if len(values) == 1 else values


def camel(entry):
    """``target_value`` -> ``TargetValue``, all the way down."""
    if isinstance(entry, list):
        return [camel(item) for item in entry]
    if not isinstance(entry, dict):
        return entry
    return {"".join(word.capitalize() for word in key.split("_")): camel(item) for key, item in entry.items()}
