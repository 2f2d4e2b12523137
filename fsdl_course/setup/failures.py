"""Why a command of the set-up failed, in one sentence with what to do about it.

Standard library only: set-up runs it before anything is installed.
"""

import re


class SetupError(RuntimeError):
    """Set-up cannot go on; the message says what to do. ``printed``: what a failed command said."""

    printed = ""

    def _render_traceback_(self) -> list[str]:
        """What a notebook shows: the sentence. Where in the code it was said helps nobody."""
        return [self.in_a_cell()]

    def in_a_cell(self) -> str:
        """The message for who ran a cell, not a command."""
        return str(self).replace("run the same command again", "run this cell again")


NO_SPACE = "The disk is full: free a few gigabytes, then run the same command again."
UNREACHABLE = (
    "The package index cannot be reached: check the network (or the proxy and certificates in pip's "
    "configuration), then run the same command again."
)
DAMAGED = re.compile(r"Failed to install: ([A-Za-z0-9_.]+)-\d")
CAUSES = (
    (r"no space left|disk quota|not enough space|errno 28|os error 28|os error 112", NO_SPACE),
    (
        r"do not match the hashes|hash mismatch",
        "A package is not the one that was locked, so it was refused: try another network, "
        "or report it if it happens again.",
    ),
    (
        r"ensurepip is not|no module named '?(venv|ensurepip)",
        "This Python cannot make virtual environments: install the package python3-venv, then run it again.",
    ),
    (
        r"name resolution|failed to establish a new connection|dns error|error sending request|getaddrinfo"
        r"|could not connect|network is unreachable|connection (refused|reset)|timed out|newconnectionerror"
        r"|max retries|failed to fetch|proxyerror|certificate",
        UNREACHABLE,
    ),
    (
        r"no matching distribution|no solution found|not found in the (package registry|provided package)",
        "The sources of packages do not have the locked version for this machine.",
    ),
    (r"permission denied|os error 13|errno 13", "A file cannot be written: check who owns its folder."),
    (r"read-only file system|errno 30|os error 30", "The folder is read-only: set the course up in another."),
    (
        r"file exists|errno 17",
        "A file lies where a folder belongs: move it away, then run the same command again.",
    ),
    (r"name too long|errno 36", "The name of a folder is too long for this system: choose a shorter one."),
)


def cause(text: str) -> str:
    """The likely cause of a failed command, from what it printed, with what to do about it."""
    for pattern, sentence in CAUSES:
        if re.search(pattern, text, re.IGNORECASE):
            return sentence
    return "Run the same command again; if it stops at the same place, read the log."
