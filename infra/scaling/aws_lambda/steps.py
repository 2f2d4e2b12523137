"""Handlers for what functions find hard: a pipeline of three, memory between calls, a long night.

Beside the package in its folder; each is configured as ``steps.NAME``.
"""

import base64
import functools
import hashlib
import json
import os
import sqlite3
import sys

import numpy as np

from fsdl_deploy.picture import decode
from fsdl_deploy.scaling import serverless


def unpack(event, context):
    """First step of three: from the request to pixels. Between functions they travel as text again."""
    body = json.loads(serverless.body_of(event))
    image = decode(base64.b64decode(body[serverless.FIELD]))
    return {"pixels": base64.b64encode(image.tobytes()).decode(), "shape": image.shape}


def read(event, context):
    """Second step: from pixels to digits."""
    image = np.frombuffer(base64.b64decode(event["pixels"]), np.uint8).reshape(event["shape"])
    reading = serverless.reader().read([image])[0]
    return {"digits": reading.digits, "confidence": reading.confidence}


def decide(event, context):
    """Third step: take the reading, or let a person look at the card."""
    return {**event, "accepted": event["confidence"] >= 0.9}


def all_steps(event, context):
    """The three as one function."""
    return decide(read(unpack(event, context), context), context)


def remembered(event, context):
    """The reading of a card, from memory where the same picture came before; says whether it was a *hit*.

    The memory is this instance's own, or a database that all share where ``SHARED`` names its file.
    """
    body = serverless.body_of(event)
    key = hashlib.sha256(body if isinstance(body, bytes) else body.encode()).hexdigest()
    if (known := _recall(key)) is not None:
        return {"hit": True, **json.loads(known)}
    status, answer = serverless.respond(body)
    if status == 200:
        _remember(key, json.dumps(answer))
    return {"hit": False, **answer}


def night(event, context):
    """Read a card ``cards`` times, as a batch job reads an inbox: what a time limit ends is lost."""
    image = decode(base64.b64decode(json.loads(serverless.body_of(event))[serverless.FIELD]))
    read_so_far = 0
    while read_so_far < event["cards"]:
        some = min(32, event["cards"] - read_so_far)
        read_so_far += len(serverless.reader().read([image] * some))
    return {"cards": read_so_far}


def greedy(event, context):
    """Take ``megabytes`` of memory."""
    return {"bytes": len(np.ones(event["megabytes"] * 2**20, np.uint8))}


def surroundings(event, context):
    """What the function sees of the machine: variables, and where modules come from."""
    return {"variables": dict(os.environ), "path": sys.path}


_own: dict[str, str] = {}


@functools.cache
def _shared() -> sqlite3.Connection | None:
    if "SHARED" not in os.environ:
        return None
    database = sqlite3.connect(os.environ["SHARED"], timeout=30, isolation_level=None)
    database.execute("CREATE TABLE IF NOT EXISTS readings (picture TEXT PRIMARY KEY, answer TEXT)")
    return database


def _recall(key: str) -> str | None:
    if (database := _shared()) is None:
        return _own.get(key)
    row = database.execute("SELECT answer FROM readings WHERE picture = ?", [key]).fetchone()
    return row[0] if row else None


def _remember(key: str, answer: str) -> None:
    if (database := _shared()) is None:
        _own[key] = answer
    else:
        database.execute("INSERT OR REPLACE INTO readings VALUES (?, ?)", [key, answer])
