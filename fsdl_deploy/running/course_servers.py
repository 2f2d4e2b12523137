"""The course's own servers, each started in one way: the page, the service, the stored readings.

``course_server("serve")`` is ``fsdl-deploy serve`` as a Server: on a free port, ended with its notebook.
Knows the commands' names and where each says that it is ready; knows nothing about what they serve.
"""

import os
import sys

from fsdl_deploy.running.servers import Server

READY = {"prototype": "/", "serve": "/readyz", "lookup": "/healthz"}


def course_server(command: str, *options: str | os.PathLike, **settings) -> Server:
    """``fsdl-deploy COMMAND`` on a free port, not yet started; COMMAND is "prototype", "serve" or "lookup".

    ``options``: words of its command line, such as ``"--threads", "1"``. ``settings``: those of Server
    (``name``, ``env``, ``cwd``, ``timeout``, ``port`` …). ValueError for a command that is no server.
    """
    if command not in READY:
        raise ValueError(f"fsdl-deploy {command} is no server: these are {', '.join(READY)}")
    words = [sys.executable, "-m", "fsdl_deploy.cli", command, "--port", "{port}", *options]
    return Server(words, READY[command], **{"name": f"fsdl-deploy {command}", **settings})
