"""A canary: nginx or Envoy in front of a stable version and a candidate, moved while it runs

``canary`` starts one for as long as a ``with`` lasts. ``CanaryHandle`` moves one that another process has
started, as a controller does that was started anew.
"""

import json
import secrets
import subprocess
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, replace
from pathlib import Path

from fsdl_deploy import files
from fsdl_deploy.rollouts import canary_envoy, canary_nginx
from fsdl_deploy.rollouts.canary_policy import LOG, CanaryPolicy
from fsdl_deploy.scaling.load_balancing import Balancer, answered_by, program_of
from fsdl_deploy.scaling.policy import BalancerError

PROXIES = {"nginx": canary_nginx, "envoy": canary_envoy}
HANDLE = "canary.json"
ROUTES = (("candidate", "stable"), ("candidate", "nobody"), ("stable", "candidate"), ("stable", "nobody"))
"""Who answers, and who reads unseen."""
_SETTLED = 20  # seconds


def canary(proxy: str, stable: Sequence[int], candidate: Sequence[int], **policy) -> "Canary":
    """``with canary("envoy", [8001], [8002], share=0.05) as front:``, then ask at ``front.url``.

    ``policy``: fields of CanaryPolicy. Raises ValueError for another proxy, or what is no port or share.
    """
    if proxy not in PROXIES:
        raise ValueError(f"a rollout is driven through {' or '.join(PROXIES)}, not through {proxy!r}")
    return Canary(PROXIES[proxy], stable, CanaryPolicy(candidate=tuple(candidate), **policy))


class Canary(Balancer):
    """A Balancer whose ``ports`` are those of the stable version, and which leaves a handle in its folder."""

    def __enter__(self) -> "Canary":
        super().__enter__()
        self.handle = CanaryHandle(
            self.folder, self.words, int(self.url.rpartition(":")[2]), self.ports, self.policy
        )
        self.handle.save()
        return self

    def move(self, **policy) -> None:
        """Change ``share``, ``shadow`` or any field of CanaryPolicy; returns when it is so."""
        self.handle.move(**policy)

    @property
    def log_file(self) -> Path:
        """Where it notes each request."""
        return self.folder / LOG


class CanaryHandle:
    """What it takes to move a canary that runs: its folder, its port, who its versions are."""

    def __init__(self, folder: Path, words, port: int, stable: Sequence[int], policy: CanaryPolicy):
        self.folder, self.words, self.port, self.stable, self.policy = folder, words, port, stable, policy

    @classmethod
    def load(cls, folder: Path) -> "CanaryHandle":
        """The handle that ``Canary`` has left in its folder. Raises BalancerError where there is none."""
        try:
            saved = json.loads((folder / HANDLE).read_text(encoding="utf-8"))
            policy = saved["policy"] | {"candidate": tuple(saved["policy"]["candidate"])}
            return cls(
                folder, PROXIES[saved["proxy"]], saved["port"], saved["stable"], CanaryPolicy(**policy)
            )
        except (OSError, ValueError, KeyError, TypeError):
            raise BalancerError(f"no canary has left its {HANDLE} in {folder}: is it running?") from None

    def save(self) -> None:
        names = {words: name for name, words in PROXIES.items()}
        content = {"proxy": names[self.words], "port": self.port, "stable": list(self.stable)}
        files.write(self.folder / HANDLE, json.dumps(content | {"policy": asdict(self.policy)}, indent=1))

    def move(self, **policy) -> None:
        """Change fields of the CanaryPolicy; returns when each new request is treated so.

        Raises BalancerError with a sentence if the proxy does not take it.
        """
        self.policy = replace(self.policy, **policy)
        generation = secrets.token_hex(4)  # a handle does not know how often others have moved it
        self.words.write(self.folder, self.port, self.stable, self.policy, generation)
        if command := self.words.reload_command(program_of(self.words), self.folder):
            signal = subprocess.run(command, capture_output=True, text=True, timeout=60)
            if signal.returncode:
                why = self.words.reason(signal.stderr) or signal.stderr.strip()[-300:]
                raise BalancerError(f"{self.words.TITLE} did not take it: {why}")
        self.save()
        self._settle(generation)

    def _settle(self, generation: str) -> None:
        begin = time.monotonic()
        while True:
            problem: Exception | None = None
            try:
                waited = time.monotonic() - begin
                if self.words.settled(self.folder, self.port, generation, waited):
                    return
            except Exception as error:  # while it changes, its workers come and go
                problem = error
            if time.monotonic() > begin + _SETTLED:
                raise BalancerError(f"{self.words.TITLE} still has its old shares: {problem}")
            time.sleep(0.01)


def log_end(folder: Path) -> int:
    """How many bytes a canary's log has now."""
    return (folder / LOG).stat().st_size if (folder / LOG).exists() else 0


def answered(folder: Path, offset: int = 0) -> tuple[list[dict], int]:
    """The lines of a canary's log from ``offset`` on, and where to go on: id, customer, camera, arm, other,
    status (int), seconds, port of the replica that answered (0: none did)."""
    lines, offset = json_lines(folder / LOG, offset)
    return [line for raw in lines if (line := _line(raw))], offset


def json_lines(file: Path, offset: int = 0) -> tuple[list[dict], int]:
    """The objects in a file of JSON lines from ``offset`` on, and where to go on; a file that is shorter now
    is read anew. What is no object is left out: whoever wrote it may have been killed, or anybody at all."""
    lines: list[dict] = []
    with suppress(FileNotFoundError), file.open("rb") as stream:
        stream.seek(offset if offset <= file.stat().st_size else 0)
        begin = stream.tell()
        whole = stream.read().rpartition(b"\n")[0]
        for raw in whole.splitlines():
            with suppress(ValueError, RecursionError):
                lines.append(json.loads(raw.decode(errors="replace")))  # a header's bytes are anybody's
        offset = begin + len(whole) + bool(whole)
    return [line for line in lines if isinstance(line, dict)], offset


def _line(line: dict) -> dict | None:
    """A line of nginx's or Envoy's log in the words of ``answered``; None if it is of no reading."""
    try:
        if "route" in line:  # Envoy's, which has it in words of its own
            line["arm"], _, line["other"] = line["route"].partition(" ")
            line["seconds"] = line["milliseconds"] / 1000
        if (line["arm"], line["other"]) not in ROUTES or not isinstance(line["id"], str):
            return None
        names = {name: str(line.get(name) or "") for name in ("customer", "camera")}
        port = answered_by(line["asked"] or "")[0]
        return line | names | {"status": int(line["status"]), "seconds": float(line["seconds"]), "port": port}
    except (KeyError, TypeError, ValueError, AttributeError):
        return None
