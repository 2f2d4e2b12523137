"""The machines behind an endpoint: the course's service as a process for each variant, as the wishes say

An instance on machines runs from the moment it is wished for, and is started again if it dies. One that is
serverless starts with its first request and ends after a while without any. Each variant has one process,
whatever count is wished for. Knows nothing of weights, nor of who asks.
"""

import time
from concurrent.futures import ThreadPoolExecutor
from threading import Lock

from fsdl_deploy.managed.sagemaker_wishes import Variant, Wish
from fsdl_deploy.running.course_servers import course_server
from fsdl_deploy.running.servers import ServerError

Key = tuple[str, str, str, str, int]  # endpoint, configuration, variant, version, requests at once
PAUSE = 10  # seconds from a start that failed to the next try


class VariantInstance:
    """One process of the service. ``running`` counts the requests in it; ``colds`` its starts."""

    def __init__(self, variant: Variant):
        self.variant, self.running, self.colds, self.last = variant, 0, 0, time.monotonic()
        self.problem, self.again, self.ended, self._lock = "", 0.0, False, Lock()
        words = ("--version", variant.version, "--threads", "1")
        self.server = course_server("serve", *words, name=f"instance of {variant.version}")

    @property
    def serverless(self) -> bool:
        return self.variant.at_once > 0

    def started(self) -> str:
        """The address, once it answers; starts the process where none runs. Raises ServerError."""
        with self._lock:
            if self.ended:
                raise ServerError("the instance has ended")
            if not self.server.running:
                self.colds += 1
                try:
                    self.server.start()
                    self.problem = ""
                except ServerError as error:
                    self.problem = str(error).partition("\n")[0]
                    self.again = time.monotonic() + PAUSE
                    raise
            return self.server.url

    def end(self) -> None:
        """End it for good, once a start that is under way is over."""
        with self._lock:
            self.ended = True
            self.server.stop()

    def end_idle(self, seconds: float) -> None:
        """End a serverless process that nobody has asked for so long."""
        with self._lock:
            idle = time.monotonic() - self.last
            if self.serverless and self.server.running and not self.running and idle > seconds:
                self.server.stop()


class VariantInstances:
    """All instances by endpoint, configuration and variant; ``idle``: seconds until a serverless one ends."""

    def __init__(self, idle: float):
        self.idle, self.known, self._pool = idle, {}, ThreadPoolExecutor(4)
        self._starting: dict[Key, object] = {}

    def follow(self, wishes: dict[str, Wish]) -> None:
        """Start what is wished for and not there, end what nobody wishes for. Waits for no start."""
        due = {self.key(wish, variant): variant for wish in wishes.values() for variant in wish.all}
        for key in self.known.keys() - due.keys():
            self._pool.submit(self.known.pop(key).end)
        for key, variant in due.items():
            if key not in self.known:
                self.known[key] = VariantInstance(variant)
            instance = self.known[key]
            if instance.serverless:
                self._pool.submit(instance.end_idle, self.idle)
            elif not instance.server.running and self._done(key) and time.monotonic() > instance.again:
                self._starting[key] = self._pool.submit(instance.started)

    @staticmethod
    def key(wish: Wish, variant: Variant) -> Key:
        """What an instance is for: another version under the same names is another instance."""
        return wish.endpoint, wish.config, variant.name, variant.version, variant.at_once

    def of(self, wish: Wish, variant: Variant) -> VariantInstance:
        """The instance of a variant. Raises ServerError where there is none so far."""
        key = self.key(wish, variant)
        if key not in self.known:
            raise ServerError("no instance so far")
        return self.known[key]

    def states(self, wish: Wish) -> dict[str, dict]:
        """Of each variant of an endpoint: does it run, and where, how often did it start, what was wrong."""
        states = {}
        for variant in wish.all:
            instance = self.known.get(self.key(wish, variant))
            ready = bool(
                instance and instance.server.running and not instance.problem and self._ready(instance)
            )
            states[variant.name] = {
                "running": ready,
                "serverless": variant.at_once > 0,
                "starts": instance.colds if instance else 0,
                "problem": instance.problem if instance else "",
                "url": instance.server.url if ready else "",
            }
        return states

    def stop(self) -> None:
        """End all."""
        self._pool.shutdown(wait=True, cancel_futures=True)
        for instance in self.known.values():
            instance.end()

    def _done(self, key: Key) -> bool:
        return key not in self._starting or self._starting[key].done()

    @staticmethod
    def _ready(instance: VariantInstance) -> bool:
        """Whether no start is under way: a process that runs need not answer yet."""
        if instance._lock.acquire(blocking=False):
            instance._lock.release()
            return True
        return False
