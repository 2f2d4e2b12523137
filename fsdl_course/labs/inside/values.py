"""A value that student code returned, as JSON text, strictly by its type.

Runs inside the sandbox, and in the notebook's ``check``, which shows a value as the grader sees it. Standard
library only.
"""

import builtins
import json

# This module's own builtins: student code may replace those in the module `builtins`, never these.
__builtins__ = dict(vars(builtins))
LARGEST = 1 << 20  # bytes of a value's text
DEEPEST = 40  # lists in lists
_quoted = json.encoder.encode_basestring_ascii


def text_of(value, depth: int = 0, room: list | None = None) -> str:
    """A value as JSON text: subclasses with methods of their own get no say.

    TypeError for a type that is not JSON's (nor numpy's), ValueError for what is too large or too deep;
    ``room`` is a list of one number, the bytes that are left.
    """
    room = [LARGEST] if room is None else room
    room[0] -= 8
    if depth > DEEPEST or room[0] < 0:
        raise ValueError("the value is too large or too deep")
    kind = type(value)
    if value is None or value is True or value is False:
        return {None: "null", True: "true", False: "false"}[value]
    if kind is int:
        return int.__repr__(value)
    if kind is float:
        text = float.__repr__(value)
        return {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}.get(text, text)
    if kind is str:
        room[0] -= len(value)
        if room[0] < 0:
            raise ValueError("the value is too large or too deep")
        return _quoted(value)
    if kind in (list, tuple):
        return "[" + ",".join([text_of(item, depth + 1, room) for item in value]) + "]"
    if kind is dict:
        if any(type(key) is not str for key in value):
            raise TypeError("a key of the dictionary is no string")
        items = [_quoted(key) + ":" + text_of(item, depth + 1, room) for key, item in value.items()]
        return "{" + ",".join(items) + "}"
    if kind.__module__ == "numpy" and hasattr(kind, "tolist"):
        return text_of(value.tolist(), depth + 1, room)
    raise TypeError(f"a value of type {kind.__name__} cannot be graded: return numbers, text, lists, dicts")
