"""``batched.py`` behind BentoML's server: python serve.py --port PORT --max-batch 16

BentoML learns from the load how long a batch should wait, so ``--delay-ms`` is taken and changes nothing.
"""

import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

from fsdl_deploy.running.serve_options import options


def main() -> int:
    args = options(__doc__.splitlines()[0])
    command = [sys.executable, "-m", "bentoml", "serve", "batched:MeterReader"]
    command += ["--host", "127.0.0.1", "--port", str(args.port)]
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    with tempfile.TemporaryDirectory(prefix="bentoml") as store:
        settings = {
            "BENTOML_HOME": store,
            "BENTOML_DO_NOT_TRACK": "True",
            "MAX_BATCH": str(args.max_batch),
        }
        bentoml = subprocess.Popen(command, cwd=Path(__file__).parent, env=os.environ | settings)
        try:
            return bentoml.wait()
        finally:
            bentoml.terminate()
            bentoml.wait()


if __name__ == "__main__":
    sys.exit(main())
