"""A small cloud for functions: instances start when calls come, and end when none come

What AWS Lambda does around its instances, on this machine: a call goes to an instance that has nothing to do,
or a new one is started for it; one that was idle for a while is ended, down to none. Each serves one call at
a time. Calls are counted and billed, logs are kept. Knows nothing of what a function does.
"""

import math
import random
import threading
import time
import zipfile
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from fsdl_deploy.managed.costs import prices
from fsdl_deploy.running.own_folder import own_folder
from fsdl_deploy.scaling.lambda_instance import Instance, Settings, link_client

THROTTLED = "throttled (429): all instances are busy"
_LOOK = 0.05  # seconds from one look at the instances to the next


@dataclass(frozen=True)
class Call:
    """One call: its ``answer``, or an ``error``; ``cold``: an instance was started for it.

    ``seconds``: as the caller waited. ``billed``: seconds that are paid for, a start included, as since
    August 2025; in whole milliseconds.
    """

    answer: object
    error: str
    seconds: float
    billed: float
    cold: bool


@dataclass
class FunctionMetrics:
    """What a cloud counts for a function; ``calls`` without those that it refused (``throttled``)."""

    calls: int = 0
    errors: int = 0
    throttled: int = 0
    cold: int = 0
    seconds: float = 0  # billed
    most: int = 0  # instances at once
    peak: int = 0  # bytes of memory of an instance


class Function:
    """``with Function(package, HANDLER, memory=512) as function: function(event).answer``.

    ``package``: a folder, or a zip that is unpacked first. ``most``: instances at once; a call beyond them is
    refused at once, as by Lambda. ``idle``: seconds without a call after which an instance ends.
    ``settings``: memory, timeout and variables, see ``Settings``. Threads may call it at the same time.
    """

    def __init__(self, package: Path, handler: str, *, most: int = 10, idle: float = 10, **settings):
        self._folder = own_folder("function")
        self.settings = Settings(self._unpacked(package), handler, **settings)
        if most < 1:
            raise ValueError("most must be at least 1: with no instance every call would be refused")
        self.most, self.idle, self.metrics = most, idle, FunctionMetrics()
        self.history: list[tuple[float, int]] = []  # when, and how many instances there were from then on
        self._all: list[Instance] = []
        self._free: list[tuple[float, Instance]] = []  # since when; the last used at the end
        self._logs: list[str] = []
        self._lock, self._closed = threading.Lock(), threading.Event()
        self._keeper = threading.Thread(target=self._keep, name="platform", daemon=True)

    def __enter__(self) -> "Function":
        client = Path(self._folder.name, "client")
        client.mkdir()
        self._client = link_client(client)
        self._keeper.start()
        return self

    def __exit__(self, *_) -> None:
        self._closed.set()
        if self._keeper.is_alive():
            self._keeper.join()
        self._drop(list(self._all))
        self._folder.cleanup()

    def __call__(self, event: object) -> Call:
        """Call it with an event."""
        begin = time.perf_counter()
        instance, cold = self._take()
        if instance is None:
            return Call(None, THROTTLED, time.perf_counter() - begin, 0, False)
        sent = time.perf_counter()
        try:
            if cold:
                instance.start()
                sent = time.perf_counter()
            answer, error = instance.call(event)
        except BaseException:
            self._drop([instance])
            raise
        end = time.perf_counter()
        billed = math.ceil(round(1000 * (end - sent), 3)) / 1000
        with self._lock:
            self.metrics.errors += bool(error)
            self.metrics.seconds += billed
        self._give_back(instance, broken="Task timed out after" in error)
        return Call(answer, error, end - begin, billed, cold)

    def at_once(self, events: Iterable[object], callers: int | None = None) -> list[Call]:
        """Call it with all of these events at the same time, or ``callers`` at a time; the calls in order."""
        events = list(events)
        with ThreadPoolExecutor(callers or max(1, len(events))) as together:
            return list(together.map(self, events))

    @property
    def instances(self) -> int:
        """How many there are now."""
        return len(self._all)

    @property
    def gb_seconds(self) -> float:
        """What is billed: memory as configured, for as long as was computed."""
        return self.metrics.seconds * self.settings.memory / 1024

    @property
    def cost(self) -> float:
        """What the calls so far would have cost, in the prices' currency."""
        per_call = prices()["function_million_requests"].value / 1e6
        return self.gb_seconds * prices()["function_gb_second"].value + self.metrics.calls * per_call

    def end_idle(self, idle: float | None = None) -> None:
        """End the instances without a call for ``idle`` seconds (the function's own)."""
        limit = time.monotonic() - (self.idle if idle is None else idle)
        with self._lock:
            ended = [instance for since, instance in self._free if since <= limit]
            self._free = [entry for entry in self._free if entry[0] > limit]
        self._drop(ended)

    def wait_for_none(self, longest: float = 60) -> None:
        """Return when all instances have been idle for long enough and are ended, or after ``longest`` s."""
        deadline = time.monotonic() + longest
        while self._all and time.monotonic() < deadline:
            time.sleep(_LOOK)

    def log(self) -> str:
        """What all of its instances have written so far, also those that are gone."""
        with self._lock:
            return "".join([*self._logs, *(instance.log() for instance in self._all)])

    def _take(self) -> tuple[Instance | None, bool]:
        """An instance for a call and whether it is a new one; None where there may be no more."""
        with self._lock:
            dead = [instance for _, instance in self._free if not instance.running]
            self._free = [entry for entry in self._free if entry[1] not in dead]
            instance = self._free.pop()[1] if self._free else None
            self.metrics.calls += instance is not None
        self._drop(dead)
        if instance is not None:
            return instance, False
        with self._lock:
            if self._closed.is_set():
                raise RuntimeError("this function has ended with its `with`")
            if len(self._all) >= self.most:
                self.metrics.throttled += 1
                return None, False
            self.metrics.calls += 1
            instance = Instance(self.settings, self._client)
            self._all.append(instance)
            self.metrics.cold += 1
            self.metrics.most = max(self.metrics.most, len(self._all))
            self._note()
            return instance, True

    def _give_back(self, instance: Instance, broken: bool) -> None:
        if broken or not instance.running:
            self._drop([instance])
        else:
            with self._lock:
                self._free.append((time.monotonic(), instance))

    def _drop(self, instances: list[Instance]) -> None:
        if not instances:
            return
        with ThreadPoolExecutor(len(instances)) as together:
            list(together.map(Instance.stop, instances))
        with self._lock:
            instances = [instance for instance in instances if instance in self._all]
            self._logs += [instance.log() for instance in instances]
            self._all = [instance for instance in self._all if instance not in instances]
            self._note()

    def _note(self) -> None:
        self.history.append((time.monotonic(), len(self._all)))

    def _keep(self) -> None:
        """End what is idle and what takes too much memory, until the function is closed."""
        while not self._closed.wait(_LOOK):
            with self._lock:
                instances = list(self._all)
            for instance in instances:
                if instance.calls:
                    instance.look()
                    self.metrics.peak = max(self.metrics.peak, instance.peak)
            self.end_idle()

    def _unpacked(self, package: Path) -> Path:
        if package.is_dir():
            return package.resolve()
        folder = Path(self._folder.name, "task")
        with zipfile.ZipFile(package) as archive:
            archive.extractall(folder)
        return folder


class Alias:
    """One name for several versions: ``Alias(old, {new: 0.1})`` sends a tenth of the calls to ``new``."""

    def __init__(self, main: Function, weights: Mapping[Function, float], seed: int = 0):
        if not all(weight >= 0 for weight in weights.values()) or sum(weights.values()) > 1:
            raise ValueError("weights are shares of the calls: none below 0, all together at most 1")
        self.versions = [main, *weights]
        self.weights = [1 - sum(weights.values()), *weights.values()]
        self._random = random.Random(seed)

    def __call__(self, event: object) -> Call:
        """Call one of the versions, by their weights."""
        return self._random.choices(self.versions, self.weights)[0](event)
