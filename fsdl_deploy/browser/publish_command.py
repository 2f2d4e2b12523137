"""The command ``fsdl-deploy edge publish``: sign a new release of the model, or renew the last one"""

import argparse
from pathlib import Path

from fsdl_deploy.browser.site import DAYS, DEFAULT, Release, Site
from fsdl_deploy.browser.trial import tried


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of ``fsdl-deploy edge publish``."""
    parser.add_argument("--site", type=Path, default=DEFAULT, metavar="FOLDER", help="where the releases are")
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--model", default="v2", help="version of a model on record")
    what.add_argument("--file", type=Path, metavar="ONNX", help="a model in a file of yours instead")
    what.add_argument("--renew", action="store_true", help="the release that is out, for another while")
    parser.add_argument("--days", type=float, default=DAYS, help="for how long it counts")


def main(args: argparse.Namespace) -> int:
    """Publish; print what is out now. Raises KeyProblem, WeightsError, NotPublished, OSError, ValueError."""
    if not 0 < args.days <= 3650:
        raise ValueError("--days must be above 0, up to 3650")
    site = Site(args.site)
    site.public  # noqa: B018 - says that there is no key, before anything is read
    if args.renew:
        release = site.renew(args.days)
    elif args.file:
        tried(graph := args.file.read_bytes())
        release = site.publish(graph, args.file.stem, days=args.days)
    else:
        release = site.publish(args.model, days=args.days)
    print(described(release))
    return 0


def described(release: Release) -> str:
    """One line about a release."""
    size = release.files["model"]["bytes"]
    expires = release.expires.isoformat(timespec="minutes")
    return f"release {release.version}: {release.model}, {size:,} bytes, counts until {expires}"
