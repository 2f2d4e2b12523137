"""Load balancing: nginx, Envoy or HAProxy in front of replicas, for as long as a ``with`` lasts

All listen on loopback at a free port, keep their files in a temporary folder and end with whoever started
them. What they are told is a ``Policy``; the words that each has for it are in ``nginx``, ``envoy`` and
``haproxy``.
"""

import http.client
import re
import shutil
import subprocess
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import psutil

from fsdl_deploy.running import stations
from fsdl_deploy.running.homed import HomedServer
from fsdl_deploy.running.ports import free_port
from fsdl_deploy.running.servers import Server, ServerError
from fsdl_deploy.scaling import envoy as envoy_words
from fsdl_deploy.scaling import haproxy as haproxy_words
from fsdl_deploy.scaling import nginx as nginx_words
from fsdl_deploy.scaling.policy import BalancerError, Policy, checked

_ATTEMPTS = 3  # at finding a port
_SETTLED = 90  # seconds: longer than an old worker may take over what it has


def nginx(ports: Sequence[int], **policy) -> "Balancer":
    """nginx in front of replicas at these ports; ``policy``: the fields of Policy that differ."""
    nginx_words.check(chosen := Policy(**policy))
    return Balancer(nginx_words, ports, chosen)


def envoy(ports: Sequence[int], **policy) -> "Balancer":
    """Envoy in front of replicas at these ports; ``policy``: the fields of Policy that differ."""
    return Balancer(envoy_words, ports, Policy(**policy))


def haproxy(ports: Sequence[int], **policy) -> "Balancer":
    """HAProxy in front of replicas at these ports; ``policy``: the fields of Policy that differ."""
    return Balancer(haproxy_words, ports, Policy(**policy))


BALANCERS = {"nginx": nginx, "envoy": envoy, "haproxy": haproxy}


def answered_by(header: str) -> tuple[int, int]:
    """From the answer's header x-upstream: the port of the replica that answered, and how many were asked."""
    ports = re.findall(r":(\d+)\b", header)
    counted = re.search(r"(attempts|retries)=\+?(\d+)", header)
    attempts = int(counted[2]) + (counted[1] == "retries") if counted else len(ports)
    return int(ports[-1]) if ports else 0, attempts


def program_of(words) -> Path:
    """The program whose ``words`` these are: from its station, or installed. Raises BalancerError."""
    station = stations.station(words.STATION)
    if station.built:
        for program in station.site.glob(words.PROGRAM):
            return program
    if program := shutil.which(words.STATION):
        return Path(program)
    raise BalancerError(f"{words.TITLE} is not on this machine. {station.not_built()}")


class Balancer(HomedServer):
    """``with nginx([replica.port for replica in fleet]) as balancer:``, then ask at ``balancer.url``.

    Raises BalancerError with a sentence if the program is not here, or does not start.
    """

    def __init__(self, words, ports: Sequence[int], policy: Policy):
        self.words, self.ports, self.policy = words, checked(ports), policy
        self._generation = 0

    def open(self) -> None:
        program = program_of(self.words)
        self.home("balancer")
        for attempt in range(_ATTEMPTS):
            port = free_port()  # it stands in a file, so it is chosen before the server starts
            self._write(port)
            command = self.words.command(program, self.folder)
            self._server = Server(command, "/balancer", name=self.words.TITLE, port=port, grace=2)
            try:
                self._server.start()
                return
            except ServerError as error:
                if "in use" not in str(error) or attempt == _ATTEMPTS - 1:
                    why = self.words.reason(self._server.log()) or str(error)
                    raise BalancerError(f"{self.words.TITLE} did not start: {why}") from None

    def reload(self, ports: Sequence[int], **policy) -> None:
        """Change the replicas, or nginx's policy, while it runs; requests under way are answered."""
        self.ports, self.policy = checked(ports), replace(self.policy, **policy)
        self._generation += 1
        self._write(self._server.port)
        if command := self.words.reload_command(program_of(self.words), self.folder):
            try:
                signal = subprocess.run(command, capture_output=True, text=True, timeout=60)
            except subprocess.TimeoutExpired:
                raise BalancerError(f"{self.words.TITLE} did not look at its configuration") from None
            if signal.returncode:
                why = self.words.reason(signal.stderr) or signal.stderr.strip()[-300:]
                raise BalancerError(f"{self.words.TITLE} did not take it: {why}")
        self._settle()

    @property
    def configuration(self) -> str:
        """What it was told, in its own words."""
        return (self.folder / self.words.FILE).read_text(encoding="utf-8")

    @property
    def title(self) -> str:
        """Its name, as people write it."""
        return self.words.TITLE

    def mebibytes(self) -> float:
        """The memory that its processes hold, in MiB: pages that they share are counted for each."""
        return self._server.memory() / 2**20

    def log(self) -> str:
        """What it has written."""
        return self._server.log()

    def failures(self) -> list[str]:
        """A line for each request that it did not answer with 200; [] for one that notes none."""
        file = self.folder / getattr(self.words, "FAILED", "none")
        return file.read_text(encoding="utf-8", errors="replace").splitlines() if file.exists() else []

    def _write(self, port: int) -> None:
        self.words.write(self.folder, port, self.ports, self.policy, self._generation)

    def _settle(self) -> None:
        deadline = time.monotonic() + _SETTLED
        while True:
            # While it changes, its files may be half written and its workers gone.
            with suppress(OSError, ValueError, KeyError, http.client.HTTPException, psutil.Error):
                if self.words.settled(self.folder, self._server.port, self.ports, self._generation):
                    return
            if not self._server.running:
                raise BalancerError(f"{self.words.TITLE} ended: {self.words.reason(self.log())}")
            if time.monotonic() > deadline:
                raise BalancerError(f"{self.words.TITLE} still has its old configuration after {_SETTLED} s")
            time.sleep(0.02)
