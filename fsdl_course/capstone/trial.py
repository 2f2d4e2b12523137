"""One trial of a service: started, loaded by clients, disturbed by the timetable; every event in the history.

Judges nothing.
"""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from fsdl_course.capstone import generator, sandboxed, timetable, traces
from fsdl_course.capstone.brief import brief_of
from fsdl_course.capstone.client import ServiceAnswer, ask, short
from fsdl_course.capstone.generator import AGAIN, CARD, CLASH, Request
from fsdl_course.capstone.history import History
from fsdl_course.capstone.meter import OthersShare, Taken
from fsdl_course.capstone.pace import Pace
from fsdl_course.capstone.sandboxed import HandInPlace, Running
from fsdl_deploy import files

START_SECONDS = 40.0  # after which a service that is not ready is given up
TERM_SECONDS = 10.0
GIVE_UP = 15.0  # seconds for which a client asks again
CLIENTS = 64


@dataclass
class ServiceTrial:
    """What is run: the start command, its place, the brief's seed, the replay's seed and its seconds."""

    words: tuple[str, ...]
    place: HandInPlace
    brief_seed: int
    seed: int
    seconds: float
    history: History
    running: Running | None = None
    starts: int = 0
    serving: bool = False  # it runs, and nobody but itself has a reason to end it
    restarting: bool = False
    restarted: float = 0.0  # seconds since the load began
    over: threading.Event = field(default_factory=threading.Event)
    answered: dict[int, ServiceAnswer] = field(default_factory=dict)
    gone_seconds: float = 0.0  # of processor time from when it was ready, of what has ended
    all_seconds: float = 0.0  # from the start
    ready_seconds: float = 0.0  # of processor time when the running one was ready
    last_cpu: float = 0.0  # of the running one, when it was looked at last
    marks: list[bytes] = field(default_factory=list)

    @classmethod
    def of(cls, spec: dict, core: int) -> "ServiceTrial":
        """A trial as ``practice.specification`` describes it, with the service on ``core``."""
        place = spec["place"]
        folders = {name: Path(place[name]) for name in ("service", "models", "state")}
        return cls(
            tuple(spec["words"]),
            HandInPlace(**folders, port=place["port"], memory_mb=place["memory_mb"], core=core),
            **{name: spec[name] for name in ("brief_seed", "seed", "seconds")},
            history=History(Path(spec["history"])),
        )

    def run(self) -> None:
        """The whole trial; nothing of the service is left afterwards."""
        requests = generator.load(brief_of(self.brief_seed), self.seed, self.seconds)
        self.marks = traces.marks(requests)
        self.announce(timetable.versions(self.seed)[0])
        watch = threading.Thread(target=self.watch, daemon=True)
        with Pace(self.history, self.seed) as pace:
            try:
                if self.start("first"):
                    self.history.begin()
                    self.history.add("load begins")
                    pace.record()
                    watch.start()
                    self.replay(requests)
                    self.look_up(requests)
            finally:
                self.over.set()
                self.end()
                self.history.add("over", cpu=self.gone_seconds)
        self.history.close()

    def announce(self, version: str) -> None:
        """Put a version's name into ``active``, in one step."""
        files.write(self.place.models / "active", version + "\n")
        (self.place.models / "active").chmod(0o644)

    def start(self, why: str) -> bool:
        """Start the service and wait until it says that it is ready; then one card at once."""
        self.running = sandboxed.start(self.words, self.place)
        share = OthersShare(self.running.meter, self.place.core)
        self.history.add("started", why=why)
        identity, png = generator.probes(self.seed)[self.starts]
        self.starts += 1
        while self.running.ended() is None and not share.longer(START_SECONDS):
            if ask(self.place.port, "GET", "/readyz", seconds=1).status == 200:
                took, others = share.elapsed(), share.seconds()
                self.ready_seconds = self.running.meter.taken().cpu
                asked = time.monotonic()
                answer = ask(self.place.port, "POST", "/v1/cards", generator.valid(identity, png), 5)
                self.history.add(
                    "ready",
                    why=why,
                    seconds=took,
                    others=others,
                    first=answer.status,
                    first_seconds=time.monotonic() - asked,
                    fields=short(answer.fields),
                    problem=answer.problem,
                )
                self.serving = True
                return True
            time.sleep(0.02)
        status = self.running.ended()
        self.history.add("never ready", why=why, status=status, log=self.running.last_words())
        return False

    def end(self) -> None:
        """kill -9; its processor time is added up, and what it leaves behind is searched for pictures."""
        self.serving = False
        if self.running is not None:
            ready, cpu = self.ready_seconds, max(self.last_cpu, self.running.meter.taken().cpu)
            self.all_seconds += cpu
            self.gone_seconds += cpu - ready if ready else 0.0
            self.ready_seconds = self.last_cpu = 0.0
            self.running.kill()
            log = bytes(self.running.log)
            self.history.add("pictures", kept=traces.kept(self.place.state, log, self.marks))
            self.running = None

    def watch(self) -> None:
        """Five times a second: what the service takes, whether it is there, whether its disk is full."""
        full = False
        while not self.over.wait(0.2):
            if (running := self.running) is None:
                continue
            taken = running.meter.taken()
            if running is self.running:
                self.last_cpu = max(self.last_cpu, taken.cpu)
            self.history.add("sample", memory=taken.memory, killed=taken.killed)
            self.look_whether_it_lives(running)
            if not full and (full := sandboxed.full(self.place.state)):
                self.history.add("disk full")

    def look_whether_it_lives(self, running: Running) -> None:
        """A service that has ended though nobody ended it: once in the history, with its last words."""
        status = running.ended()
        if self.serving and running is self.running and status is not None:
            self.serving = False
            killed = running.meter.taken().killed
            self.history.add("died", status=status, killed=killed, log=running.last_words())

    def replay(self, requests: list[Request]) -> None:
        """All requests at their times, from CLIENTS threads, and the faults from this one."""
        share = OthersShare(self, self.place.core)
        stop = time.monotonic() + self.seconds + GIVE_UP + 15
        with ThreadPoolExecutor(CLIENTS) as pool:
            loader = threading.Thread(target=self.send_all, args=(requests, pool))
            loader.start()
            for fault in timetable.faults(self.seed, self.seconds):
                self.over.wait(max(0.0, fault.at - self.history.now()))
                self.disturb(fault.what)
            loader.join(max(0.1, stop - time.monotonic()))
        self.history.add("load over", others_share=share.seconds() / share.elapsed())

    def taken(self) -> Taken:
        """The processor time of all runs together, their starts too."""
        now = running.meter.taken().cpu if (running := self.running) else 0.0
        return Taken(cpu=self.all_seconds + now)

    def send_all(self, requests: list[Request], pool: ThreadPoolExecutor) -> None:
        for request in requests:
            time.sleep(max(0.0, request.at - self.history.now()))
            pool.submit(self.send, request)

    def send(self, request: Request) -> None:
        """Ask until there is an answer that is final, as the contract has it, or patience has ended."""
        if request.kind in (AGAIN, CLASH) and request.of not in self.answered:
            self.history.add("skipped", number=request.number)
            return
        sent, tries, refused, without_time = self.history.now(), 0, 0, 0
        while True:
            tries += 1
            seconds = min(10.0, max(2.0, self.patience(request)))
            last = ask(self.place.port, "POST", "/v1/cards", request.body, seconds, request.client)
            final = last.status not in (0, 429, 503)
            refused += last.status in (429, 503)
            without_time += last.status in (429, 503) and last.retry_after is None
            if final or self.patience(request) < 0:
                break
            time.sleep(min(1.0, max(0.1, last.retry_after or 0.0)))
        if request.kind == CARD and last.status == 200:
            self.answered[request.number] = last
        self.history.add(
            "answer",
            number=request.number,
            due=request.at,
            sent=round(sent, 4),
            tries=tries,
            refused=refused,
            without_time=without_time,
            status=last.status,
            fields=short(last.fields),
            problem=last.problem,
        )

    def patience(self, request: Request) -> float:
        """Seconds until its client gives up: a restart has the brief's own limit, and does not count."""
        if self.restarting:
            return GIVE_UP
        return max(request.at, self.restarted) + GIVE_UP - self.history.now()

    def disturb(self, what: str) -> None:
        """One fault of the timetable."""
        self.history.add("fault", name=what)
        if what == timetable.BROKEN_VERSION:
            self.announce(timetable.BROKEN_NAME)
        elif what == timetable.VERSION:
            self.announce(timetable.versions(self.seed)[1])
        else:
            self.look_whether_it_lives(self.running)
            self.restarting = True
            if what == timetable.TERM:
                self.terminate()
            self.end()
            self.start(f"after {what}")
            self.restarting, self.restarted = False, self.history.now()
        self.history.add("fault over", name=what)

    def terminate(self) -> None:
        """SIGTERM, and how it ended: status None if it is still there after TERM_SECONDS."""
        self.serving = False
        share = OthersShare(self.running.meter, self.place.core)
        self.running.terminate()
        while self.running.ended() is None and not share.longer(TERM_SECONDS):
            time.sleep(0.02)
        self.history.add(
            "ended", status=self.running.ended(), seconds=share.elapsed(), others=share.seconds()
        )

    def look_up(self, requests: list[Request]) -> None:
        """Ask for every card that was answered with 200."""
        until = time.monotonic() + 20
        for request in requests:
            if request.number in self.answered and time.monotonic() < until:
                answer = ask(self.place.port, "GET", f"/v1/cards/{request.id}", seconds=3)
                self.history.add(
                    "looked up", number=request.number, status=answer.status, fields=short(answer.fields)
                )
