"""The image of the lecture's slide: built in the slide's shape on our base, run, and looked at for its flaws

The Dockerfile is ``infra/docker/slide``'s. Its one requirement is a package of a few lines that is made here,
so that the build needs no network and installs something all the same.
"""

import shutil
import time
import zipfile
from pathlib import Path

from fsdl_deploy.measuring.table import Table
from fsdl_deploy.packaging.build_context import DOCKER
from fsdl_deploy.packaging.containers import Container
from fsdl_deploy.packaging.layers import build

TAG, PATIENCE = "slide:lesson", 2  # seconds that it gets to end after the signal
WHEEL = "tiny-1.0-py3-none-any.whl"


def context(to: Path) -> Path:
    """A folder with the slide's files, a package to install, and a secret that lies beside them."""
    shutil.copytree(DOCKER / "slide", to)
    (to / "requirements.txt").write_text("tiny\n", encoding="utf-8")
    (to / ".env").write_text("PASSWORD=of-the-billing-system\n", encoding="utf-8")
    (to / "wheels").mkdir()
    about = "tiny-1.0.dist-info"
    with zipfile.ZipFile(to / "wheels" / WHEEL, "w") as wheel:
        wheel.writestr("tiny.py", "")
        wheel.writestr(f"{about}/METADATA", "Metadata-Version: 2.1\nName: tiny\nVersion: 1.0\n")
        wheel.writestr(f"{about}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(
            f"{about}/RECORD", f"tiny.py,,\n{about}/METADATA,,\n{about}/WHEEL,,\n{about}/RECORD,,\n"
        )
    return to


def tried(client, folder: Path) -> dict:
    """Build the image in ``folder``, build it again with one more line in its code, run it, stop it.

    Gives ``answer`` (what it says over HTTP), ``reinstalls`` (whether the line of code had the packages
    installed again), ``user``, ``secret`` (whether the file beside the code is in the image), ``exit_code``
    after the signal, and ``MB``. Raises ContainerError where it cannot be built or does not answer.
    """
    import httpx2

    place = context(folder / "slide")
    build(client, TAG, place, "Dockerfile")
    with (place / "app.py").open("a", encoding="utf-8") as code:
        code.write(f"# changed at {time.time()}\n")  # else the engine may know it from last time
    again = build(client, TAG, place, "Dockerfile")
    (install,) = (step for step in again if step.instruction.startswith("RUN pip"))
    with Container(client, TAG, ready="/") as running:
        seen = {"answer": httpx2.get(running.url).text, "reinstalls": not install.cached}
        for name, words in {"user": "id -un", "secret": "ls -a /app"}.items():
            seen[name] = running.container.exec_run(words).output.decode().strip()
        running.container.stop(timeout=PATIENCE)
        running.container.reload()
        seen["exit_code"] = running.container.attrs["State"]["ExitCode"]
    seen["secret"] = ".env" in seen["secret"].split()
    seen["MB"] = round(client.images.get(TAG).attrs["Size"] / 1e6, 1)
    client.images.remove(TAG, force=True)
    return seen


def table(seen: dict) -> Table:
    """Each flaw of the slide's Dockerfile, what was seen of it, and what our own does instead."""
    ended = "killed" if seen["exit_code"] == 137 else f"exit code {seen['exit_code']}"
    rows = [
        [
            "ADD . before pip install",
            f"packages installed again: {yes(seen['reinstalls'])}",
            "COPY code last",
        ],
        ["ADD . takes all that lies there", f"the secret is inside: {yes(seen['secret'])}", "COPY by name"],
        ["no USER", f"runs as {seen['user']}", "a user without rights"],
        ["nobody handles SIGTERM", f"{ended} after {PATIENCE} s", "a server that ends by itself"],
        ["a base by its tag", "another image next year", "a base by its digest"],
    ]
    return Table(["the slide's line", "seen here", "ours"], *rows)


def yes(fact: bool) -> str:
    return "yes" if fact else "no"
