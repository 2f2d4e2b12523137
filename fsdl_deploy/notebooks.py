"""The former place of a command: ``python -m fsdl_deploy.notebooks``."""

import sys

if __name__ == "__main__":
    sys.exit("'python -m fsdl_deploy.notebooks' is 'fsdl-course notebooks' now")
