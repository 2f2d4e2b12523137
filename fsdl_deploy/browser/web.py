"""The app's web server: its files and the releases, with the headers that keep everything else out

ASGI. Knows HTTP: types, compression, caches, and a policy under which the page runs its own code only and
talks to its own server and one service only. Knows nothing about models.
"""

import re

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from fsdl_deploy.browser.app_files import AppFile, app_files
from fsdl_deploy.browser.site import Site

RELEASE_FILE = re.compile(r"releases/files/([0-9a-f]{64})", re.ASCII)
FOREVER = "public, max-age=31536000, immutable"


def policy(service: str | None) -> str:
    """The Content-Security-Policy: own scripts, WebAssembly, own server, and ``service`` if there is one."""
    rules = {
        "default-src": "'none'",
        "script-src": "'self' 'wasm-unsafe-eval'",
        "style-src": "'self'",
        "img-src": "'self'",
        "connect-src": f"'self' {service}" if service else "'self'",
        "worker-src": "'self'",
        "manifest-src": "'self'",
        "base-uri": "'none'",
        "form-action": "'none'",
        "frame-ancestors": "'none'",
    }
    return "; ".join(f"{rule} {sources}" for rule, sources in rules.items())


def app_of(site: Site, service: str | None = None, isolated: bool = True) -> ASGIApp:
    """The ASGI application for a site of releases.

    ``service``: the origin of the model service, such as ``https://service.example``. ``isolated``: with the
    two headers (COOP, COEP) under which a browser gives a page threads. Raises KeyProblem, StationError.
    """
    pages = app_files(site.public, service)
    headers = {
        "content-security-policy": policy(service),
        "x-content-type-options": "nosniff",
        "referrer-policy": "no-referrer",
        "permissions-policy": "geolocation=(), microphone=()",
        "cross-origin-resource-policy": "same-origin",
    }
    if isolated:
        headers |= {
            "cross-origin-opener-policy": "same-origin",
            "cross-origin-embedder-policy": "require-corp",
        }

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        response = _answer(Request(scope), pages, site)
        response.headers.update(headers)
        await response(scope, receive, send)

    return application


def _answer(request: Request, pages: dict[str, AppFile], site: Site) -> Response:
    if request.method not in ("GET", "HEAD"):
        return Response("only GET and HEAD\n", 405, {"allow": "GET, HEAD"}, "text/plain")
    path = request.url.path.removeprefix("/")
    if path in pages:
        return _page(request.headers, pages[path])
    release_file = RELEASE_FILE.fullmatch(path)
    try:
        if path == "releases/current.json":
            return Response(
                site.manifest.read_bytes(), 200, {"cache-control": "no-store"}, "application/json"
            )
        if release_file:
            body = (site.releases / "files" / release_file[1]).read_bytes()
            return Response(body, 200, {"cache-control": FOREVER}, "application/octet-stream")
    except FileNotFoundError:
        pass
    return Response("there is no such file\n", 404, {"cache-control": "no-store"}, "text/plain")


def _page(headers: Headers, file: AppFile) -> Response:
    tag = f'"{file.sha256.hex()[:32]}"'
    # A browser asks each time and mostly hears "as before": so a new version is seen at once.
    answer = {"etag": tag, "cache-control": "no-cache", "vary": "accept-encoding"}
    if tag in headers.get("if-none-match", ""):
        return Response(b"", 304, answer)
    accepted = {word.split(";")[0].strip() for word in headers.get("accept-encoding", "").split(",")}
    name = next((name for name in file.encoded if name in accepted), None)
    if name:
        answer["content-encoding"] = name
    return Response(file.encoded[name] if name else file.body, 200, answer, file.kind)
