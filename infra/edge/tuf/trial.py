"""Attack a device that updates by python-tuf: ``python trial.py OLD.onnx NEW.onnx``

A line of JSON for an honest update, for each attack of ``fsdl_deploy.browser.attack_list``, and for a
rollback as it is meant: what the client answered, how long it took, and which model the device has before and
after.
"""

import contextlib
import functools
import http.server
import json
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from repository import NAME, Repository
from securesystemslib.signer import CryptoSigner
from tuf.api.metadata import Metadata
from tuf.ngclient import Updater

from fsdl_deploy.browser.attack_list import ATTACKS

HEADROOM = 2**16  # bytes that an endless file has been sent when the trial stops counting


class Server(http.server.SimpleHTTPRequestHandler):
    """Static files; ``endless`` is the path of one that has no end."""

    endless: str | None = None

    def do_GET(self) -> None:
        if self.endless is None or not self.path.endswith(self.endless):
            return super().do_GET()
        self.send_response(200)
        self.end_headers()
        with contextlib.suppress(OSError):  # the device has had enough
            while True:
                self.wfile.write(b"x" * HEADROOM)

    def log_message(self, *words: object) -> None:
        pass


class Device:
    """What a device keeps: its metadata, and the model that it last took."""

    def __init__(self, folder: Path, url: str, shipped: bytes):
        self.metadata, self.models, self.url, self.shipped = folder / "meta", folder / "models", url, shipped
        self.metadata.mkdir(parents=True)
        self.models.mkdir()
        self.version = ""

    def update(self) -> str:
        """Take what is newest: "updated", "newest", or the name of the exception that refused it."""
        places = (str(self.metadata), f"{self.url}/metadata/", str(self.models), f"{self.url}/targets/")
        try:
            updater = Updater(*places, bootstrap=self.shipped)
            updater.refresh()
            target = updater.get_targetinfo(NAME)
            cached = updater.find_cached_target(target)
            updater.download_target(target) if cached is None else None
        except Exception as error:  # each refusal has a class of its own
            self.message = str(error)
            return type(error).__name__
        self.message, self.version = "", target.custom["version"]
        return "newest" if cached else "updated"


@contextlib.contextmanager
def attacked(repository: Repository, name: str, model: Path, version: str, old: dict) -> Iterator[None]:
    """An honest release is out, and the attacker does this to it; at the end it is whole again."""
    file = repository.publish(model, version)
    body, whole = file.read_bytes(), {path: path.read_bytes() for path in repository.metadata.iterdir()}
    timestamp = repository.path("timestamp")
    if name == "rollback":
        timestamp.write_bytes(old["timestamp"])
    elif name == "freeze":
        honest = repository.roles["timestamp"].signed.expires
        repository.roles["timestamp"].signed.expires = honest.replace(year=honest.year - 1)
        repository.write("timestamp")
        repository.roles["timestamp"].signed.expires = honest
    elif name == "tampering":
        file.write_bytes(body[:-1] + bytes([body[-1] ^ 1]))
    elif name == "wrong key":
        repository.write("timestamp", CryptoSigner.generate_ed25519())
    elif name == "endless data":
        Server.endless = file.name
    elif name == "mix-and-match":  # the list of an older release where that of the new one should be
        repository.path("targets").write_bytes(old["targets"])
    elif name == "truncated":
        file.write_bytes(body[: len(body) // 2])
    else:
        raise ValueError(f"{name} is an attack that this trial cannot play")
    try:
        yield
    finally:
        Server.endless = None
        file.write_bytes(body)
        for path, content in whole.items():
            path.write_bytes(content)
        repository.roles["timestamp"] = Metadata.from_bytes(whole[timestamp])


def trial(folder: Path, models: list[Path], url: str, repository: Repository) -> Iterator[dict]:
    """Each step's answer."""
    device, number = Device(folder / "device", url, repository.shipped), 0

    def step(name: str) -> dict:
        before, begin = device.version, time.perf_counter()
        answer = device.update()
        milliseconds = 1000 * (time.perf_counter() - begin)
        return {
            "step": name, "answer": answer, "message": device.message, "before": before,
            "after": device.version, "milliseconds": milliseconds,
        }  # fmt: skip

    def next_model() -> tuple[Path, str]:
        nonlocal number
        number += 1
        return models[number % 2], f"release {number}"

    def metadata() -> dict:
        return {role: repository.path(role).read_bytes() for role in ("timestamp", "targets")}

    repository.publish(*next_model())
    yield step("first")
    yield step("nothing new")
    for attack in ATTACKS:
        # Signed a step before what the device has: replaying what it has would only be no news.
        old = metadata()
        repository.publish(*next_model())
        device.update()
        with attacked(repository, attack.name, *next_model(), old):
            yield step(attack.name)
        yield step(f"after {attack.name}")
    repository.publish(models[1], "release 1 again")
    yield step("rollback by a new release")


def main(paths: list[str]) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        repository = Repository(folder / "repository")
        handler = functools.partial(Server, directory=str(folder / "repository"))
        with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
            threading.Thread(target=server.serve_forever, daemon=True).start()
            url = f"http://127.0.0.1:{server.server_port}"
            for step in trial(folder, [Path(path).resolve() for path in paths], url, repository):
                print(json.dumps(step), flush=True)
            server.shutdown()


if __name__ == "__main__":
    main(sys.argv[1:])
