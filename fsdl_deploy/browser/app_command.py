"""The command ``fsdl-deploy edge app``: the reader in the browser, served from this machine

Without a site of releases it makes one first: a key, and release 1 with the newest model.
"""

import argparse
from pathlib import Path

import uvicorn

from fsdl_deploy.browser.site import DEFAULT, Site
from fsdl_deploy.browser.web import app_of
from fsdl_deploy.service.cross_origin import origin
from fsdl_deploy.service.process import listen


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of ``fsdl-deploy edge app``."""
    parser.add_argument("--site", type=Path, default=DEFAULT, metavar="FOLDER", help="where the releases are")
    parser.add_argument("--service", metavar="ORIGIN", help="origin of a model service, asked when unsure")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
    parser.add_argument("--port", type=int, default=8080, help="0 picks a free one")
    parser.add_argument("--no-isolation", action="store_true", help="without the headers that allow threads")


def main(args: argparse.Namespace) -> int:
    """Serve until SIGTERM or Ctrl-C."""
    service = origin(args.service) if args.service else None
    site = ready_site(args.site)
    application = app_of(site, service, not args.no_isolation)
    listener = listen(args.host, args.port)
    address = f"[{args.host}]" if ":" in args.host else args.host
    print(f"the app is at http://{address}:{listener.getsockname()[1]}/", flush=True)
    if args.host not in ("127.0.0.1", "::1", "localhost"):
        print("on other machines browsers start it only from https: put a proxy with TLS in front")
    uvicorn.Server(uvicorn.Config(application, log_level="warning", lifespan="off")).run(sockets=[listener])
    return 0


def ready_site(folder: Path) -> Site:
    """The site in ``folder``, with a key and a release: the first is published where there is none."""
    site = Site(folder).make()
    if site.current() is None:
        release = site.publish()
        print(f"made {folder}: a key, and release {release.version} of {release.model}")
    return site
