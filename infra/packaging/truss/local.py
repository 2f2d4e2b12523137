"""The server of a Truss context without a container: ``python local.py CONTEXT PORT``.

It runs the server's own ``main.py``. Two things differ from the container: packages are looked for in the
context, and the server, which listens on every network interface and has no option for that, gets the
address of this machine only. Nothing of ``fsdl_deploy`` is imported here: the server has to find the copy
that the context packs.
"""

import os
import runpy
import sys

import uvicorn


class Loopback(uvicorn.Config):
    def __init__(self, app, **settings):
        super().__init__(app, **(settings | {"host": "127.0.0.1"}))


if __name__ == "__main__":
    context, os.environ["INFERENCE_SERVER_PORT"] = sys.argv[1:]
    os.chdir(context)  # with config.yaml and the model's code
    sys.path[:0] = ["server", "packages"]
    uvicorn.Config = Loopback
    runpy.run_path("server/main.py", run_name="__main__")
