"""The command ``fsdl-deploy edge key``: a key for a new site of releases, never in a repository"""

import argparse
from pathlib import Path

from fsdl_deploy.browser.signing import KeyProblem
from fsdl_deploy.browser.site import DEFAULT, Site


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of ``fsdl-deploy edge key``."""
    parser.add_argument("--site", type=Path, default=DEFAULT, metavar="FOLDER", help="where the releases go")


def main(args: argparse.Namespace) -> int:
    """Make the key; print where it lies and its public half. Raises KeyProblem where there is one already."""
    site = Site(args.site)
    if site.key.exists():
        raise KeyProblem(f"there is a key in {site.key}: apps in the field trust it, so it is not replaced")
    site.make()
    print(f"private: {site.key}: keep it, back it up, and serve {site.releases} only\npublic:  {site.public}")
    return 0
