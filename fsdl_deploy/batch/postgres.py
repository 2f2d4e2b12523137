"""A PostgreSQL server for as long as a ``with`` lasts: loopback, a free port, a temporary folder.

It needs PostgreSQL's programs on the machine and nothing else: no account, no system service. Started by
root it gives root up first, because PostgreSQL refuses root. Knows nothing about tables.
"""

import glob
import os
import secrets
import shutil
import subprocess
import tempfile
from pathlib import Path

from fsdl_deploy.running.servers import Server

# Where the packages of Debian, Red Hat and Homebrew put the programs, none of them on PATH.
PLACES = (
    "/usr/lib/postgresql/*/bin",
    "/usr/pgsql-*/bin",
    "/opt/homebrew/opt/postgresql*/bin",
    "/usr/local/opt/postgresql*/bin",
)


class PostgresMissing(RuntimeError):
    """PostgreSQL's programs are not on this machine; the message says what to install."""


def programs() -> Path:
    """The folder of ``initdb`` and ``postgres``; raises PostgresMissing."""
    initdb = shutil.which("initdb")
    folders = [Path(initdb).resolve().parent] if initdb else []
    folders += [Path(place) for pattern in PLACES for place in sorted(glob.glob(pattern), reverse=True)]
    for folder in folders:
        if (folder / "initdb").exists() and (folder / "postgres").exists():
            return folder
    raise PostgresMissing(
        "there is no PostgreSQL here: install it (Debian: apt install postgresql; macOS: brew install "
        "postgresql), or use SQLite"
    )


class Postgres:
    """``with Postgres() as server: Store(server.url)``. The data is gone afterwards."""

    def __enter__(self) -> "Postgres":
        there = programs()
        self.folder = Path(tempfile.mkdtemp(prefix="fsdl-pg-"))  # short: a socket's path has its limit
        try:
            data, password = self.folder / "data", secrets.token_urlsafe(12)
            (self.folder / "password").write_text(password, encoding="utf-8")
            as_user = {}
            if hasattr(os, "geteuid") and os.geteuid() == 0:
                import pwd  # not on Windows, and the lesson imports this module there too

                nobody = pwd.getpwnam("nobody")
                as_user = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
                for path in (self.folder, self.folder / "password"):
                    os.chown(path, nobody.pw_uid, nobody.pw_gid)
            make = [there / "initdb", "-D", data, "-U", "course", "-A", "scram-sha-256", "-E", "UTF8"]
            make += ["--pwfile", self.folder / "password", "--no-sync", "--locale=C"]
            process = subprocess.run(make, capture_output=True, text=True, cwd=self.folder, **as_user)
            if process.returncode != 0:
                raise RuntimeError(f"PostgreSQL's initdb failed: {process.stderr.strip()}")
            serve = [there / "postgres", "-D", data, "-h", "127.0.0.1", "-p", "{port}", "-k", self.folder]
            if as_user:
                ids = [f"--reuid={as_user['user']}", f"--regid={as_user['group']}", "--clear-groups"]
                serve = ["setpriv", *ids, "--", *serve]
            self._password = password
            self.server = Server(serve, self._answers, name="postgres", cwd=self.folder).start()
        except BaseException:
            shutil.rmtree(self.folder, ignore_errors=True)
            raise
        self.url = self._url(self.server)
        return self

    def _url(self, server: Server) -> str:
        return f"postgresql://course:{self._password}@127.0.0.1:{server.port}/postgres"

    def _answers(self, server: Server) -> bool:
        """The port is open before the database is."""
        import psycopg

        psycopg.connect(self._url(server), connect_timeout=5).close()
        return True

    def __exit__(self, *_) -> None:
        self.server.stop()
        shutil.rmtree(self.folder, ignore_errors=True)
