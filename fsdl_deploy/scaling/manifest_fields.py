"""Resources compared with the fields that a client of theirs knows: what a cluster would refuse, without one

A client's classes were made from the definitions that a cluster checks resources with. They say which fields
there are and of which types. Knows no client: ``kinds`` says what a kind has.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

PLAIN = {"str": str, "int": int, "float": (int, float), "bool": bool}
NESTED = re.compile(r"(list|dict)[\[(](?:str, )?(.+)[\])]", re.IGNORECASE)


@dataclass(frozen=True)
class Fields:
    """What a kind has: field -> type, such as "V1Container" or "list[str]"; and which it must have."""

    fields: Mapping[str, str]
    required: frozenset[str] = frozenset()


def problems(value: object, kind: str, where: str, kinds: Callable[[str], Fields]) -> Iterator[str]:
    """What is wrong with ``value`` as a ``kind``, each with its place: ``where``, then the fields' names."""
    nested = NESTED.fullmatch(kind)
    expected = PLAIN.get(kind, list if nested and nested[1].lower() == "list" else dict)
    if kind == "object":
        return
    if not isinstance(value, expected) or (isinstance(value, bool) and kind != "bool"):
        yield f"{where}: must be {kind}"
    elif nested:
        for place, element in enumerate(value) if expected is list else value.items():
            yield from problems(element, nested[2], f"{where}.{place}", kinds)
    elif expected is dict:
        known = kinds(kind)
        for key, content in value.items():
            if key in known.fields:
                yield from problems(content, known.fields[key], f"{where}.{key}", kinds)
            else:
                yield f"{where}.{key}: {kind} has no such field"
        for key in sorted(known.required - value.keys()):
            yield f"{where}.{key}: {kind} must have it"


def kind_of(model: type) -> Fields:
    """The fields of a class that OpenAPI's generator for Python made, as those of Kubernetes and KServe.

    Which of them it must have the class says only when one is left out: it is asked one by one.
    """
    names = model.attribute_map
    fields = {field: model.openapi_types[name] for name, field in names.items()}
    given, required = {}, set()
    for _ in names:
        try:
            model(**given)
            break
        except ValueError as error:
            missing = re.search(r"Invalid value for `(\w+)`", str(error))
            if missing is None or missing[1] in given:
                break
            given[missing[1]] = ""
            required.add(names[missing[1]])
    return Fields(fields, frozenset(required))
