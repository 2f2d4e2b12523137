"""The command ``fsdl-deploy edge app``: the reader in the browser, served from this machine

Without a site of releases it makes one first: a key, and release 1 with the newest model.
"""

import argparse
from pathlib import Path
from urllib.parse import urlsplit

import uvicorn

from fsdl_deploy.browser.site import DEFAULT, Site
from fsdl_deploy.browser.web import app_of
from fsdl_deploy.service.process import listen


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of ``fsdl-deploy edge app``."""
    parser.add_argument("--site", type=Path, default=DEFAULT, metavar="FOLDER", help="where the releases are")
    parser.add_argument("--service", type=origin, help="origin of a model service, asked when unsure")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
    parser.add_argument("--port", type=int, default=8080, help="0 picks a free one")
    parser.add_argument("--no-isolation", action="store_true", help="without the headers that allow threads")


def main(args: argparse.Namespace) -> int:
    """Serve until SIGTERM or Ctrl-C."""
    site = ready_site(args.site)
    application = app_of(site, args.service, not args.no_isolation)
    listener = listen(args.host, args.port)
    address = f"[{args.host}]" if ":" in args.host else args.host
    print(f"the app is at http://{address}:{listener.getsockname()[1]}/", flush=True)
    if args.host not in ("127.0.0.1", "::1", "localhost"):
        print("browsers store an app only from https, or from this machine: put a proxy with TLS in front")
    uvicorn.Server(uvicorn.Config(application, log_level="warning", lifespan="off")).run(sockets=[listener])
    return 0


def ready_site(folder: Path) -> Site:
    """The site in ``folder``, with a key and a release: the first is published where there is none."""
    site = Site(folder).make()
    if site.current() is None:
        release = site.publish()
        print(f"made {folder}: a key, and release {release.version} of {release.model}")
    return site


def origin(text: str) -> str:
    """An origin as browsers write it, ``https://host[:port]``: scheme, host and port, and nothing else."""
    parts = urlsplit(text.rstrip("/"))
    try:
        port = parts.port
    except ValueError:
        port = 0
    whole = f"{parts.scheme}://{parts.netloc}"
    good = parts.scheme in ("http", "https") and parts.hostname and port != 0 and "@" not in parts.netloc
    if not good or text.rstrip("/") != whole or not whole.isascii() or any(c in whole for c in " ;,'\"*\\"):
        raise argparse.ArgumentTypeError(f"{text!r} is no origin: it looks like https://service.example:8000")
    default = {"http": ":80", "https": ":443"}[parts.scheme]
    return whole.lower().removesuffix(default)
