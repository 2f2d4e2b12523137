"""Proxies of the environment: never between this machine's own programs, and none that cannot be used.

``HTTP_PROXY``, ``ALL_PROXY``, ``NO_PROXY`` and their like are read by every HTTP client in its own way: one
sends a request for 127.0.0.1 to the proxy, another ends at an address that it does not know. ``settle``
changes the variables so that all of them do the same. Every interpreter that the set-up builds calls it
when it starts (a ``.pth`` file), and so do the commands. Standard library only, and little of it.
"""

import os
import re
import sys
from collections.abc import Mapping, MutableMapping
from importlib.util import find_spec

LOCAL = ("localhost", "127.0.0.1", "::1")
LEFT_OUT = "FSDL_PROXIES_LEFT_OUT"  # lines NAME=value: what was taken out of the environment
SOCKS = ("socks4", "socks4a", "socks5", "socks5h")
_NAMES = {f"{scheme}_proxy" for scheme in ("http", "https", "all", "ws", "wss", "grpc")}
_ENTRY = re.compile(r"\*|[A-Za-z0-9_.*-]+(:\d{1,5})?(/\d{1,2})?")  # of NO_PROXY, as every client takes it
_ADDRESS = re.compile(  # of a proxy: scheme, host, port
    r"(?:([^:/?#@\s]+)://)?(?:[^/?#\s]*@)?(\[[0-9A-Fa-f:.]+\]|[^\s/?#@:\[\]]+)(?::(\d{1,5}))?(?:/\S*)?"
)


def is_local(host: str | None) -> bool:
    """Whether a host of an address is this machine's loopback."""
    return bool(host) and (host in LOCAL or host.startswith("127."))


def settle(environ: MutableMapping[str, str] | None = None, socks: bool | None = None) -> None:
    """Change ``environ`` (of this process): loopback is asked directly, and what cannot be used is taken out.

    The environment remembers what was taken out: ``problems`` says it, also in programs started from here.
    ``socks``: whether the client can use SOCKS; None: whether the packages of this interpreter can. Where no
    proxy is set nothing changes.
    """
    environ = os.environ if environ is None else environ
    gone = _remembered(environ)
    for name, value in gone.items():
        environ.setdefault(name, value)
    names = named(environ)
    socks = any(environ[name].lower().startswith("socks") for name in names) and (
        _has_socks() if socks is None else socks
    )
    gone = {name: environ[name] for name in names if _fault(environ[name], socks)}
    for name in gone:
        del environ[name]
    for name in set(names) - gone.keys():
        value = environ[name].strip()
        environ[name] = value if "://" in value else f"http://{value}"  # JupyterLab does not add it
    environ.pop(LEFT_OUT, None)
    if names:
        _bypass_loopback(environ)
    if gone:
        environ[LEFT_OUT] = "\n".join(f"{name}={' '.join(value.split())}" for name, value in gone.items())


def named(environ: Mapping[str, str]) -> list[str]:
    """The variables that name a proxy."""
    return sorted(name for name in environ if name.lower() in _NAMES and environ[name].strip())


def at_start() -> None:
    """``settle`` for an interpreter that starts. uv, which is started through Python, can use SOCKS."""
    uv = re.search(r" -m uv( |$)", " ".join(sys.orig_argv[:6]))
    settle(os.environ, socks=True if uv else None)


def problems(environ: Mapping[str, str] | None = None) -> list[str]:
    """A sentence for each variable that cannot be used, whether or not it has been taken out already."""
    settled = dict(os.environ if environ is None else environ)
    settle(settled)
    return [_sentence(name, value) for name, value in _remembered(settled).items()]


def missing_for(scheme: str, host: str, environ: Mapping[str, str] | None = None) -> str | None:
    """The sentence about the proxy that a request to another machine would need, if it cannot be used."""
    settled = dict(os.environ if environ is None else environ)
    settle(settled)
    variables = (f"{scheme}_proxy", "all_proxy")
    if any(name.lower() in variables for name in settled) or _bypassed(host, settled.get("no_proxy", "")):
        return None
    gone = {name.lower(): (name, value) for name, value in _remembered(settled).items()}
    return next((_sentence(*gone[name]) for name in variables if name in gone), None)


def _remembered(environ) -> dict[str, str]:
    lines = environ.get(LEFT_OUT, "").splitlines()
    return {name: value for name, separator, value in (line.partition("=") for line in lines) if separator}


def _has_socks() -> bool:
    """Whether httpx2 and requests of this interpreter can use SOCKS."""
    return find_spec("socksio") is not None and find_spec("socks") is not None


def _fault(value: str, socks: bool) -> str | None:
    """Why a proxy's address cannot be used, or None."""
    parts = _ADDRESS.fullmatch(value.strip())
    if not parts or int(parts[3] or 0) > 65535:
        return "it is no address of a proxy"
    scheme = (parts[1] or "http").lower()
    if scheme in ("http", "https") or (socks and scheme in SOCKS):
        return None
    return f"Python's HTTP clients do not know {scheme}://"


def _sentence(name: str, value: str) -> str:
    masked = re.sub(r"(?<=://)[^/@]*@|^[^/@]*@", "…@", value)  # without a password
    return (
        f"{name}={masked} cannot be used and is left out ({_fault(value, False)}): unset it, or set it to an "
        "address such as http://127.0.0.1:7890"
    )


def _bypass_loopback(environ: MutableMapping[str, str]) -> None:
    """``NO_PROXY`` in both spellings: what both said, as every client can read it, and loopback."""
    entries: dict[str, None] = {}
    for name in ("no_proxy", "NO_PROXY"):
        for entry in filter(None, re.split(r"[\s,;]+", environ.get(name, ""))):
            if readable := _readable(entry):
                entries[readable] = None
    # An asterisk counts for urllib and curl only where it stands alone.
    text = "*" if "*" in entries else ",".join(dict.fromkeys((*entries, *LOCAL)))
    environ["NO_PROXY"] = environ["no_proxy"] = text
    if text == "*" or "no_grpc_proxy" in environ:  # gRPC knows no asterisk
        own = environ.get("no_grpc_proxy", "").split(",")
        environ["no_grpc_proxy"] = ",".join(dict.fromkeys((*filter(None, own), *LOCAL)))


def _readable(entry: str) -> str | None:
    """An entry of ``NO_PROXY`` as httpx2, requests, urllib and curl take it; None: not all of them do."""
    if entry.count(":") > 1:
        from ipaddress import IPv6Address

        try:
            return str(IPv6Address(re.sub(r"^\[(.*)\](:\d+)?$", r"\1", entry)))
        except ValueError:
            return None
    if not entry.isascii():
        try:
            entry = entry.encode("idna").decode()
        except UnicodeError:
            return None
    return entry if _ENTRY.fullmatch(entry) else None


def _bypassed(host: str, no_proxy: str) -> bool:
    """Whether ``NO_PROXY`` names the host, or a domain that it is in."""
    names = [name.lstrip("*").lstrip(".").lower() for name in no_proxy.split(",")]
    return no_proxy == "*" or any(name and f".{host.lower()}".endswith(f".{name}") for name in names)
