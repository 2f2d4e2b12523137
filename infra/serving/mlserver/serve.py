"""MLServer with our models: ``python serve.py --port PORT --max-batch 16 --delay-ms 2``.

What stays the same stands in the settings files of ``models``, what differs comes as variables. gRPC and
metrics get free ports, which the log tells. MLServer takes a wait of 0 for no batches at all: so that batches
of more than one picture are made, it is told a millisecond at least.
"""

import os
import sys
from pathlib import Path

from fsdl_deploy.running.ports import free_port
from fsdl_deploy.running.serve_options import options

if __name__ == "__main__":
    args = options(__doc__.splitlines()[0])
    settings = {
        "MLSERVER_HTTP_PORT": args.port,
        "MLSERVER_GRPC_PORT": free_port(),
        "MLSERVER_METRICS_PORT": free_port(),
        "MLSERVER_MODEL_MAX_BATCH_SIZE": args.max_batch,
        "MLSERVER_MODEL_MAX_BATCH_TIME": max(1.0, args.delay_ms) / 1000,
    }
    program = Path(sys.executable).with_name("mlserver")
    environ = os.environ | {name: str(value) for name, value in settings.items()}
    os.execve(program, [program, "start", Path(__file__).parent / "models"], environ)
