"""A command where a profile of AWS is set in every way there is: which files it opens, whom it connects to

The profile is a made-up one in a temporary home. Python itself reports what is opened (audit events), so that
nothing has to be believed; and whoever connects to another machine is refused.
"""

import json
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

KEY = "AKIAREALREALREALREAL"  # made up: that of the profile, which nobody may see
_FILE = f"[default]\naws_access_key_id = {KEY}\naws_secret_access_key = secret\nregion = eu-west-1\n"
_WATCH = """
import atexit, json, os, socket, sys

opened, connected = [], []

def watch(event, arguments):
    if event in ("open", "os.listdir", "os.scandir") and ".aws" in str(arguments[0]):
        opened.append(os.path.basename(str(arguments[0])))
    if event in ("socket.connect", "socket.getaddrinfo"):
        host = str(arguments[1][0] if event == "socket.connect" else arguments[0])
        connected.append(host)
        if host != "127.0.0.1":
            raise ConnectionRefusedError(f"{host} is not on this machine")

sys.addaudithook(watch)
report = sys.argv.pop(1)
write = open(report, "w")
atexit.register(lambda: json.dump({"opened": opened, "connected": connected}, write))
from fsdl_deploy import cli
sys.exit(cli.main(sys.argv[1:]))
"""


@dataclass(frozen=True)
class WatchedCommand:
    """``opened``: files below ``.aws``; ``connected``: hosts; ``kept``: the files are as they were."""

    status: int
    output: str
    errors: str
    opened: frozenset[str]
    connected: frozenset[str]
    kept: bool


def variables(home: Path) -> dict[str, str]:
    """Every variable by which a profile can be named or replaced; the addresses are nobody's (RFC 5737)."""
    return {
        "HOME": str(home), "USERPROFILE": str(home), "AWS_PROFILE": "default", "AWS_ACCESS_KEY_ID": KEY,
        "AWS_SECRET_ACCESS_KEY": "secret", "AWS_SESSION_TOKEN": "token", "AWS_REGION": "eu-west-1",
        "AWS_DEFAULT_REGION": "eu-west-1", "AWS_CONFIG_FILE": str(home / ".aws" / "config"),
        "AWS_SHARED_CREDENTIALS_FILE": str(home / ".aws" / "credentials"),
        "AWS_ENDPOINT_URL": "http://192.0.2.1", "AWS_ENDPOINT_URL_SAGEMAKER": "http://192.0.2.2",
        "HTTP_PROXY": "http://192.0.2.3:3128", "AWS_USE_FIPS_ENDPOINT": "true",
    }  # fmt: skip


def watched(*words: str, timeout: float = 300) -> WatchedCommand:
    """Run ``fsdl-deploy`` with these words where a profile is set."""
    with tempfile.TemporaryDirectory(prefix="fsdl-profile-") as folder:
        home, report = Path(folder), Path(folder) / "report.json"
        (home / ".aws" / "models").mkdir(parents=True)
        files = [home / ".aws" / name for name in ("config", "credentials")]
        for file in files:
            file.write_text(_FILE, encoding="utf-8")
        before = [file.stat().st_mtime_ns for file in files]
        run = subprocess.run(
            [sys.executable, "-c", _WATCH, str(report), *words],
            capture_output=True, text=True, timeout=timeout, env={**os.environ, **variables(home)},
        )  # fmt: skip
        kept = [file.stat().st_mtime_ns for file in files] == before
        kept = kept and all(file.read_text(encoding="utf-8") == _FILE for file in files)
        seen = json.loads(report.read_text(encoding="utf-8"))
    hosts, opened = frozenset(seen["connected"]), frozenset(seen["opened"])
    return WatchedCommand(run.returncode, run.stdout, run.stderr, opened, hosts, kept)
