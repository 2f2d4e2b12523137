"""One trial of a service: started, loaded by clients, disturbed by the timetable; every event in the history.

Judges nothing.
"""

import base64
import contextlib
import shutil
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from fsdl_course.capstone import generator, sandboxed, timetable
from fsdl_course.capstone.brief import brief_of
from fsdl_course.capstone.client import ServiceAnswer, ask
from fsdl_course.capstone.generator import AGAIN, CARD, CLASH, Request
from fsdl_course.capstone.history import History
from fsdl_course.capstone.sandboxed import HandInPlace, Running
from fsdl_deploy import files
from fsdl_deploy.paths import ROOT
from fsdl_deploy.picture import decode
from fsdl_deploy.reader import OnnxReader

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
    down: threading.Event = field(default_factory=threading.Event)
    over: threading.Event = field(default_factory=threading.Event)
    answered: dict[int, ServiceAnswer] = field(default_factory=dict)
    gone_seconds: float = 0.0  # of processor time, of what has ended
    last_cpu: float = 0.0  # of what runs, when it was looked at last

    @classmethod
    def of(cls, spec: dict) -> "ServiceTrial":
        """A trial as ``practice.specification`` describes it."""
        place = spec["place"]
        folders = {name: Path(place[name]) for name in ("service", "models", "state")}
        return cls(
            tuple(spec["words"]),
            HandInPlace(**folders, port=place["port"], memory_mb=place["memory_mb"]),
            spec["brief_seed"],
            spec["seed"],
            spec["seconds"],
            History(Path(spec["history"])),
        )

    def run(self) -> None:
        """The whole trial; nothing of the service is left afterwards."""
        requests = generator.load(brief_of(self.brief_seed), self.seed, self.seconds)
        self.announce(timetable.versions(self.seed)[0])
        watch = threading.Thread(target=self.watch, daemon=True)
        try:
            if self.start("first"):
                self.history.begin()
                self.history.add("load begins")
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
        begun = time.monotonic()
        self.running = sandboxed.start(self.words, self.place)
        self.history.add("started", why=why)
        while time.monotonic() - begun < START_SECONDS and self.running.popen.poll() is None:
            if ask(self.place.port, "GET", "/readyz", seconds=1).status == 200:
                took = time.monotonic() - begun
                probe = generator.pictures(self.seed + 1, 1)[0]
                body = generator.valid(f"probe-{why.replace(' ', '')}", probe)
                answer = ask(self.place.port, "POST", "/v1/cards", body, 5)
                self.history.add("ready", seconds=took, first=answer.status, problem=answer.problem)
                self.down.clear()
                return True
            time.sleep(0.02)
        log = bytes(self.running.log[-600:]).decode("utf-8", "replace")
        self.history.add("never ready", status=self.running.popen.poll(), log=log)
        return False

    def end(self) -> None:
        """kill -9; its processor time is added up."""
        if self.running is not None:
            self.gone_seconds += self.last_cpu
            self.last_cpu = 0.0
            self.running.kill()

    def watch(self) -> None:
        """Five times a second: what the service takes; every second what a plain reading takes here."""
        reader = OnnxReader("v1")
        picture = generator.pictures(self.seed + 2, 1)[0]
        text = base64.b64encode(picture)
        turn = 0
        while not self.over.wait(0.2):
            running = self.running
            memory, cpu = running.used() if running else (0, 0.0)
            self.last_cpu = max(self.last_cpu, cpu)
            self.history.add("sample", memory=memory, cpu=self.gone_seconds + self.last_cpu)
            turn += 1
            if turn % 3 == 0:
                begun = time.perf_counter()
                reader.read([decode(base64.b64decode(text))])
                self.history.add("reference", ms=1000 * (time.perf_counter() - begun))
            if running and sandboxed.overfull(self.place.state):
                self.history.add("disk full")
                running.kill()
                return

    def replay(self, requests: list[Request]) -> None:
        """All requests at their times, from CLIENTS threads, and the faults from this one."""
        stop = time.monotonic() + self.seconds + GIVE_UP + 15
        with ThreadPoolExecutor(CLIENTS) as pool:
            loader = threading.Thread(target=self.send_all, args=(requests, pool))
            loader.start()
            for fault in timetable.faults(self.seed, self.seconds):
                self.over.wait(max(0.0, fault.at - self.history.now()))
                self.disturb(fault.what)
            loader.join(max(0.1, stop - time.monotonic()))
        self.history.add("load over")

    def send_all(self, requests: list[Request], pool: ThreadPoolExecutor) -> None:
        for request in requests:
            time.sleep(max(0.0, request.at - self.history.now()))
            pool.submit(self.send, request)

    def send(self, request: Request) -> None:
        """Ask until there is an answer that is final, as the contract has it, or GIVE_UP has passed."""
        if request.kind in (AGAIN, CLASH) and request.of not in self.answered:
            self.history.add("skipped", number=request.number)
            return
        sent, tries, refused = self.history.now(), 0, 0
        while True:
            tries += 1
            last = ask(self.place.port, "POST", "/v1/cards", request.body, 10, request.client)
            final = last.status not in (0, 429, 503)
            refused += last.status in (429, 503)
            if final or self.history.now() - request.at > GIVE_UP:
                break
            time.sleep(min(1.0, last.retry_after or 0.1))
        if request.kind == CARD and last.status == 200:
            self.answered[request.number] = last
        self.history.add(
            "answer",
            number=request.number,
            due=request.at,
            sent=round(sent, 4),
            tries=tries,
            refused=refused,
            status=last.status,
            fields=_short(last.fields),
            problem=last.problem,
        )

    def disturb(self, what: str) -> None:
        """One fault of the timetable."""
        self.history.add("fault", name=what)
        if what == timetable.BROKEN_VERSION:
            self.announce(timetable.BROKEN_NAME)
        elif what == timetable.VERSION:
            self.announce(timetable.versions(self.seed)[1])
        else:
            if what == timetable.TERM:
                self.running.terminate()
                begun = time.monotonic()
                with contextlib.suppress(Exception):
                    self.running.popen.wait(TERM_SECONDS)
                status = self.running.popen.poll()
                self.history.add("ended", status=status, seconds=time.monotonic() - begun)
            self.end()
            self.start(f"after {what}")
        self.history.add("fault over", name=what)

    def look_up(self, requests: list[Request]) -> None:
        """Ask for every card that was answered with 200, and look for pictures where none may be."""
        until = time.monotonic() + 20
        for request in requests:
            if request.number in self.answered and time.monotonic() < until:
                answer = ask(self.place.port, "GET", f"/v1/cards/{request.id}", seconds=3)
                self.history.add(
                    "looked up", number=request.number, status=answer.status, fields=_short(answer.fields)
                )
        kept = pictures_kept(self.place.state, bytes(self.running.log), requests)
        self.history.add("pictures", kept=kept)


def pictures_kept(state: Path, log: bytes, requests: list[Request]) -> list[str]:
    """Names of files (or "the log") in which a piece of a picture stands, in bytes or in base64."""
    marks = []
    for request in [r for r in requests if r.kind == CARD][::5]:
        text = request.body.partition(b'"picture": "')[2]
        middle = len(text) // 2 // 4 * 4
        marks += [text[middle : middle + 40], base64.b64decode(text[middle : middle + 40])]
    names = ["the log"] if any(mark in log for mark in marks) else []
    for path in sorted(state.rglob("*")):
        if path.is_file() and not path.is_symlink():
            data = path.read_bytes()[: 64 << 20]
            if any(mark in data for mark in marks):
                names.append(path.name[:80])
    return names


def _short(fields: dict) -> dict:
    """The fields that are judged, as short texts: an answer cannot fill the history."""
    short = {key: fields[key] for key in ("id", "digits", "version") if key in fields}
    error = fields.get("error")
    if isinstance(error, dict):
        short["field"] = error.get("field")
    return {
        key: value if not isinstance(value, str | list | dict) else str(value)[:100]
        for key, value in short.items()
    }


def place_models(folder: Path) -> None:
    """The models of a trial: the good versions, their sums, and one that does not load."""
    folder.mkdir()
    for version in ("v1", "v2"):
        shutil.copyfile(ROOT / "models" / f"{version}.onnx", folder / f"{version}.onnx")
    shutil.copyfile(ROOT / "models" / "SHA256SUMS", folder / "SHA256SUMS")
    whole = (ROOT / "models" / "v2.onnx").read_bytes()
    (folder / f"{timetable.BROKEN_NAME}.onnx").write_bytes(whole[: len(whole) // 2])
