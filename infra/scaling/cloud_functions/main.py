"""The reader as Google's function: called by a request, or by a picture that arrives in a bucket.

``functions-framework --target read_card`` (or ``arrived``, or ``meet``) serves one of these.
"""

import json
import os
import threading
from pathlib import Path

import functions_framework

from fsdl_deploy.picture import PictureError, decode
from fsdl_deploy.scaling import serverless

serverless.reader()  # an instance may get several requests at once: load before the first, and once


@functions_framework.http
def read_card(request):
    """A request's body to the answer of ``serverless.respond``."""
    status, answer = serverless.respond(request.get_data())
    return answer, status


@functions_framework.cloud_event
def arrived(event):
    """Read a new picture of a bucket and put its reading into the bucket ``readings``.

    A picture that nobody can read is written to the log, and that is all: an exception would mean "deliver
    this event again".
    """
    bucket, name = event.data["bucket"], event.data["name"]
    try:
        (reading,) = serverless.reader().read([decode(_object(bucket, name).read_bytes())])
    except PictureError as error:
        log("ERROR", f"no card: {error}", picture=name)
        return
    answer = {"digits": reading.digits, "confidence": reading.confidence}
    _object("readings", f"{name}.json").write_text(json.dumps(answer))
    log("INFO", "read", picture=name, **answer)


_here, _changed = 0, threading.Condition()


@functions_framework.http
def meet(request):
    """Wait, half a second at most or PATIENCE, until as many are here as the body says; answer how many."""
    global _here
    with _changed:
        _here += 1
        _changed.notify_all()
        patience = float(os.environ.get("PATIENCE", "0.5"))
        _changed.wait_for(lambda: _here >= int(request.get_data()), timeout=patience)
        together = _here
    with _changed:
        _here -= 1
    return {"here": together}


def log(severity: str, message: str, **fields) -> None:
    """One line, which Google's log takes apart by its fields."""
    print(json.dumps({"severity": severity, "message": message, **fields}), flush=True)


def _object(bucket: str, name: str) -> Path:
    """An object of a bucket. Here a bucket is a folder in the folder ``BUCKETS``."""
    folder = Path(os.environ["BUCKETS"], bucket).resolve()
    path = (folder / name).resolve()
    if not path.is_relative_to(folder):
        raise ValueError(f"{name!r} is not the name of an object")
    return path
