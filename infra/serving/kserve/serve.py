"""KServe's model server with our reader: ``python serve.py --port PORT --max-batch 16 --delay-ms 2``.

The server makes no batches: in a cluster, a container beside it does. So the last two options change nothing
here. It listens on every network interface and has no option for that: its two web servers are told the
address of this machine only. gRPC gets a free port, which the log tells. For each request it
would write three lines of log and a warning; these are left out, since the other servers here write none.
"""

import logging
import warnings

import grpc.aio._server
import kserve
import uvicorn
from model import MeterReader

from fsdl_deploy.running.ports import HOST, free_port
from fsdl_deploy.running.serve_options import options


class Loopback(uvicorn.Config):
    def __init__(self, app, **settings):
        super().__init__(app, **(settings | {"host": HOST}))


class LoopbackServer(grpc.aio._server.Server):
    def add_insecure_port(self, address: str) -> int:
        return super().add_insecure_port(address.replace("[::]", HOST))


if __name__ == "__main__":
    args = options(__doc__.splitlines()[0])
    uvicorn.Config = Loopback
    grpc.aio._server.Server = LoopbackServer
    model = MeterReader("meter-reader")
    model.load()
    server = kserve.ModelServer(
        http_port=args.port, grpc_port=free_port(), grace_period=2, enable_latency_logging=False
    )
    print(f"gRPC at {HOST}:{server.grpc_port}", flush=True)
    logging.disable(logging.INFO)  # a level of its own the trace's logger loses while the server starts
    warnings.filterwarnings("ignore", "ORJSONResponse is deprecated")
    server.start([model])
