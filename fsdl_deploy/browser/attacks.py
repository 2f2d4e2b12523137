"""The attacks of ``attack_list``, played on the app in the browser: what it answers, what reads after it"""

import contextlib
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from fsdl_deploy import files
from fsdl_deploy.browser import signing
from fsdl_deploy.browser.app_page import AppPage
from fsdl_deploy.browser.attack_list import ATTACKS, Attack
from fsdl_deploy.browser.link import Fault
from fsdl_deploy.browser.serving import ServedApp
from fsdl_deploy.browser.site import DAYS, envelope


@dataclass(frozen=True)
class AttackOutcome:
    """What came of an attack: the client's ``answer``, its ``message``, and what read before and after it."""

    attack: Attack
    answer: str
    message: str
    before: str
    after: str

    @property
    def refused(self) -> bool:
        """Whether the client refused it by the expected word, and the model that reads is the same."""
        return self.answer in (self.attack.app, self.attack.tuf) and self.before == self.after


def attack_app(
    app: ServedApp, page: AppPage, models: tuple[str, str] = ("v1", "v2")
) -> Iterator[AttackOutcome]:
    """Play every attack on an open app: an honest newer release is out, and that is spoiled on its way.

    The app must have release 2 or a later one. ``models``: versions on record that are published in turns.
    After each attack the honest release is served again, and the app must take it: RuntimeError if not.
    """
    for number, attack in enumerate(ATTACKS):
        old = app.site.manifest.read_bytes()
        before = _release(page)
        with _attacked(app, attack.name, models[number % 2], old):
            answer = page.look()
            outcome = AttackOutcome(attack, answer, page.shows()["news"], before, _release(page))
        yield outcome
        if (answer := page.look()) != "updated":
            raise RuntimeError(f"after {attack.name} the app did not take the honest release: {answer}")


def _release(page: AppPage) -> str:
    return page.shows()["release"]


@contextlib.contextmanager
def _attacked(app: ServedApp, name: str, model: str, old: bytes) -> Iterator[None]:
    """An honest new release is out, and the attacker does this to it; at the end it is whole again."""
    app.site.publish(model)
    honest = app.site.manifest.read_bytes()
    part = app.site.releases / app.site.current().files["model"]["path"]
    body = part.read_bytes()
    try:
        SPOILERS[name](app, part, body, old)
        yield
    finally:
        app.link.faults.clear()
        files.write(part, body)
        files.write(app.site.manifest, honest)


def _rollback(app: ServedApp, part: Path, body: bytes, old: bytes) -> None:
    earlier = app.site.archive / f"{app.site.read(old).version - 1}.json"  # signed as well as ever
    files.write(app.site.manifest, earlier.read_bytes())


def _freeze(app: ServedApp, part: Path, body: bytes, old: bytes) -> None:
    long_ago = datetime.now(UTC) - timedelta(days=DAYS + 1)
    release = replace(app.site.current(), published=long_ago, expires=long_ago + timedelta(days=DAYS))
    files.write(app.site.manifest, envelope(release, app.site.key))


def _tampering(app: ServedApp, part: Path, body: bytes, old: bytes) -> None:
    changed = bytearray(body)
    changed[len(body) // 2] ^= 1
    files.write(part, bytes(changed))


def _wrong_key(app: ServedApp, part: Path, body: bytes, old: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        signing.make_key(key := Path(folder) / "key.pem")
        files.write(app.site.manifest, envelope(app.site.current(), key))


def _endless(app: ServedApp, part: Path, body: bytes, old: bytes) -> None:
    app.link.faults[f"releases/files/{part.name}"] = Fault(body=body[: 2**16], endless=True)


def _mixed(app: ServedApp, part: Path, body: bytes, old: bytes) -> None:
    path = app.site.read(old).files["model"]["path"]
    files.write(part, (app.site.releases / path).read_bytes())


def _truncated(app: ServedApp, part: Path, body: bytes, old: bytes) -> None:
    files.write(part, body[: len(body) // 2])


SPOILERS: dict[str, Callable[[ServedApp, Path, bytes, bytes], None]] = {
    "rollback": _rollback,
    "freeze": _freeze,
    "tampering": _tampering,
    "wrong key": _wrong_key,
    "endless data": _endless,
    "mix-and-match": _mixed,
    "truncated": _truncated,
}
