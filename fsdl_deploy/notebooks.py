"""The former place of a command: ``python -m fsdl_deploy.notebooks``."""

raise SystemExit("'python -m fsdl_deploy.notebooks' is 'fsdl-course notebooks' now")
