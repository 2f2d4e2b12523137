"""Starts moto's server without anything of this machine's AWS: no profile, no variables, no files in HOME

``start.py PORT``. On the loopback only.
"""

import os
import sys

for name in list(os.environ):
    if name.startswith(("AWS_", "BOTO_")):
        del os.environ[name]
os.environ |= {
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    "AWS_EC2_METADATA_DISABLED": "true",
}

from moto.server import main  # noqa: E402 - what it would read at its import is put aside above

if __name__ == "__main__":
    main(["-H", "127.0.0.1", "-p", sys.argv[1]])
