"""Which programs are there beside Python: a container engine, Java, bubblewrap, a browser."""

import os
import shutil
import urllib.parse
from collections.abc import Callable, Iterator
from pathlib import Path

from fsdl_course.setup.looks.finding import Finding
from fsdl_deploy.measuring.machine import engine_sockets, java, ping_engine, printed

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "msedge")


def look_at_engine(environ=os.environ, which: Callable = shutil.which) -> Iterator[Finding]:
    """A container engine answers."""
    advice = "lessons run without one; to build and run images start Docker or Podman"
    for place in engine_sockets(environ):
        if ping_engine(place):
            yield Finding("ok", "containers", f"an engine answers at {place}")
            return
    if not which("docker") and not which("podman"):
        yield Finding("note", "containers", "no engine installed", advice)
        return
    host = urllib.parse.urlsplit(environ.get("DOCKER_HOST", ""))
    if os.name == "nt" or host.scheme not in ("", "unix"):  # a named pipe or another machine: ask the client
        answer = printed([which("docker") or "docker", "version", "--format", "{{.Server.Version}}"])
        if answer:
            yield Finding("ok", "containers", f"engine {answer}")
            return
    yield Finding("note", "containers", "a client is installed, but no engine answers", advice)


def look_at_java(find: Callable = java) -> Iterator[Finding]:
    """Java, for the one server that is written in it."""
    if program := find():
        yield Finding("ok", "java", program)
    else:
        advice = "lessons run without it; to run TorchServe install Java 17 (Debian: openjdk-17-jre-headless)"
        yield Finding("note", "java", "none", advice)


def look_at_sandbox(which: Callable = shutil.which) -> Iterator[Finding]:
    """What isolates student code while labs are graded; only instructors need it."""
    if program := which("bwrap"):
        yield Finding("ok", "sandbox", f"bubblewrap ({program})")
    else:
        advice = "only grading needs it: install the package bubblewrap, or start a container engine"
        yield Finding("note", "sandbox", "no bubblewrap", advice)


def look_at_browser(which: Callable = shutil.which, places: list[str] | None = None) -> Iterator[Finding]:
    """A Chromium that the browser tests can drive. JupyterLab itself opens in any browser."""
    if places is None:
        programs = [os.environ.get(name, "") for name in ("PROGRAMFILES", "PROGRAMFILES(X86)")]
        places = [f"{folder}/Google/Chrome/Application/chrome.exe" for folder in programs if folder]
        places += ["/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"]
        places += ["/Applications/Chromium.app/Contents/MacOS/Chromium"]
    program = next((path for path in map(which, BROWSERS) if path), None)
    program = program or next((place for place in places if Path(place).is_file()), None)
    advice = "lessons open in any browser; `make test` wants Chromium or Chrome: install one"
    if not program:
        yield Finding("note", "browser", "no Chromium or Chrome", advice)
    elif os.name == "nt":  # there `--version` would open a window
        yield Finding("ok", "browser", program)
    elif version := printed([program, "--version"]):
        yield Finding("ok", "browser", f"{version} ({program})")
    elif version is None:  # a busy machine; the program is there
        yield Finding("ok", "browser", program)
    else:
        yield Finding("note", "browser", f"{program} does not say its version", advice)
