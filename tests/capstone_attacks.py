"""Services that want points which they have not earned, or hurt the grader: the Python example, changed.

``TRIES``: what each is called -> its program, and the criteria that it must not hold.
"""

from dataclasses import dataclass
from pathlib import Path

from fsdl_course.capstone import new, points

EVERY = frozenset(row.name for row in points.TABLE)


@dataclass(frozen=True)
class Try:
    """``program`` stands on the example ``python``; ``loses`` must be lost, ``may`` can be.

    ``student``: whose brief is asked for. Ann's forbids pictures, Dia's has the smallest budget.
    """

    program: str
    loses: frozenset[str]
    may: frozenset[str] = frozenset()
    student: str = "ann"

    def write(self, folder: Path) -> None:
        """The hand-in at ``folder``."""
        new.write(folder, "python")
        (folder / "cheat.py").write_text(self.program, encoding="utf-8")
        settings = "[needs]\nruntime = 'python'\nmemory_mb = 384\n"
        text = f"[service]\nstart = ['python3', 'cheat.py']\n{settings}"
        (folder / "capstone.toml").write_text(text, encoding="utf-8")


def _try(program: str, loses: str, may: str = "", student: str = "ann") -> Try:
    return Try(program, frozenset(loses.split()), frozenset(may.split()), student)


# Ready from the start, on a socket of its own; ``answer`` says what every other request gets.
ALONE = """
import os, socket, threading
listening = socket.create_server(("127.0.0.1", int(os.environ["PORT"])), backlog=128)
def serve(connection):
    try:
        if connection.recv(65536).startswith(b"GET /readyz"):
            connection.sendall(b"HTTP/1.1 200 OK\\r\\nContent-Length: 2\\r\\nConnection: close\\r\\n\\r\\n{}")
            return connection.close()
        answer(connection)
    except OSError:
        pass
def loop():
    while True:
        threading.Thread(target=serve, args=(listening.accept()[0],), daemon=True).start()
"""

TRIES = {
    # Work is done by grandchildren under the sandbox's name, which live for a moment and have no parent.
    "hides_its_work": _try(
        """
import ctypes, os, time
import service
name = ctypes.CDLL(None).prctl
name(15, b"bwrap", 0, 0, 0)
if os.fork() == 0:
    os.setsid()
    while True:
        if (child := os.fork()) == 0:
            if os.fork() == 0:
                until = time.process_time() + 0.04
                while time.process_time() < until:
                    pass
            os._exit(0)
        os.waitpid(child, 0)
        time.sleep(0.08)
service.main()
""",
        "cost",
        "p99",
        student="dia",
    ),
    # A process that has left its parent takes more memory than is rented, again and again.
    "takes_memory_elsewhere": _try(
        """
import os, time
import service
if os.fork() == 0:
    os.setsid()
    while True:
        if (child := os.fork()) == 0:
            time.sleep(4)
            kept = bytearray(700 << 20)
            for at in range(0, len(kept), 4096):
                kept[at] = 1
            time.sleep(60)
        os.waitpid(child, 0)
service.main()
""",
        "memory",
        "cost p99 lost recovery start correctness versions",
    ),
    # Every card is answered at once, by digits that nobody has read.
    "reads_nothing": _try(
        """
import service
class Guess(service.Model):
    def read(self, image):
        return {"digits": "123456", "version": self.version}
service.Model = Guess
service.main()
""",
        " ".join(EVERY - {"refusals"}),
        "refusals",
    ),
    # The old model goes on reading under the new one's name.
    "names_a_version_only": _try(
        """
import service
class Liar(service.Model):
    def load(self, version):
        if self.session is None:
            super().load(version)
        self.session = (version, self.session[1])
        self.version = version
service.Model = Liar
service.main()
""",
        "correctness",
        "versions p99",  # after a restart it does read by the new one; a wrong answer is none in time
    ),
    # It looks at the active version when it starts, and never again.
    "never_watches": _try(
        """
import service
class Once(service.Model):
    def load(self, version):
        if self.session is None:
            super().load(version)
service.Model = Once
service.main()
""",
        "versions",
    ),
    # It says that it is ready, and lets the first card wait for the model.
    "ready_in_words": _try(
        """
import time
import service
class Late(service.Model):
    def load(self, version):
        if self.session is None:
            time.sleep(2.5)
        super().load(version)
class Boastful(service.Handler):
    def look(self):
        return (200, {}) if self.path == "/readyz" else super().look()
    def accept(self):
        while self.server.model.session is None:
            time.sleep(0.05)
        return super().accept()
service.Model, service.Handler = Late, Boastful
service.main()
""",
        "start",
        "p99",
    ),
    # It ends by itself, with a status that looks fine, before anybody asks it to.
    "leaves_early": _try(
        """
import os, threading
import service
threading.Timer(5, lambda: os._exit(0)).start()
service.main()
""",
        "recovery",
        "lost p99 versions start correctness memory cost refusals privacy",
    ),
    # Files without a name fill the disk.
    "fills_the_disk": _try(
        """
import os, tempfile, threading, time
import service
def fill():
    time.sleep(3)
    kept = []
    while True:
        try:
            kept.append(tempfile.TemporaryFile(dir=os.environ["STATE"]))
            for _ in range(8):
                kept[-1].write(bytes(1 << 20))
        except OSError:
            time.sleep(1)
threading.Thread(target=fill, daemon=True).start()
service.main()
""",
        "recovery",
        "lost p99 correctness cost start versions refusals memory privacy",
    ),
    # Pictures go into the log of the first start, and into a folder too deep for a path.
    "keeps_pictures": _try(
        """
import os, sys
import service
def kept(data, decode=service.decode):
    image = decode(data)
    sys.stdout.buffer.write(image.tobytes())
    sys.stdout.flush()
    return image
service.decode = kept
os.chdir(os.environ["STATE"])
try:
    for _ in range(60):
        os.mkdir("d" * 200)
        os.chdir("d" * 200)
except OSError:
    pass
os.chdir("/service")
service.main()
""",
        "privacy",
    ),
    # It prints without end.
    "never_stops_talking": _try(
        """
import sys, threading
import service
def talk():
    while True:
        sys.stdout.write("x" * 65536)
threading.Thread(target=talk, daemon=True).start()
service.main()
""",
        "",
        " ".join(EVERY),
    ),
    # Its answers have no end.
    "answers_without_end": _try(
        ALONE
        + """
def answer(connection):
    connection.sendall(b"HTTP/1.1 200 OK\\r\\n\\r\\n")
    while True:
        connection.sendall(b"x" * 65536)
loop()
""",
        " ".join(EVERY),
    ),
    # It is ready, takes every connection, and says nothing more.
    "never_answers": _try(
        ALONE
        + """
held = []
def answer(connection):
    held.append(connection)
loop()
""",
        " ".join(EVERY),
    ),
    # Its answers are headers, one byte after the other.
    "drips": _try(
        ALONE
        + """
import time
def answer(connection):
    connection.sendall(b"HTTP/1.1 200 OK\\r\\n")
    while True:
        connection.sendall(b"X-A: b\\r\\n")
        time.sleep(0.05)
loop()
""",
        " ".join(EVERY),
    ),
    # It knows the public replay by heart, and asks who is there. In the hidden one it knows nothing.
    "knows_the_public_replay": _try(
        """
import hashlib, json, os
import service
KNOWN = json.load(open("table.json")) if os.path.exists("table.json") else {}
class Table(service.Model):
    def read(self, image):
        key = hashlib.sha256(image.tobytes()).hexdigest()
        return {"digits": KNOWN.get(key, "0000"), "version": self.version}
service.Model = Table
service.main()
""",
        " ".join(EVERY - {"refusals"}),
        "refusals",
    ),
    # It works all the time, from the start on.
    "hogs": _try(
        """
import threading
import service
def work():
    while True:
        pass
threading.Thread(target=work, daemon=True).start()
service.main()
""",
        "cost",
        "p99 lost recovery start versions",
        student="dia",
    ),
    # It tries to end, to read and to change what belongs to the grader, and serves on.
    "looks_around": _try(
        """
import os, signal, socket
def attempt(what, *arguments):
    try:
        what(*arguments)
    except OSError:
        pass
for pid in range(1, 40):
    if pid != os.getpid():
        attempt(os.kill, pid, signal.SIGKILL)
attempt(os.kill, os.getppid(), signal.SIGKILL)
import service  # now: its threads have numbers, too
for path in ("/models/active", "/service/service.py", "/etc/passwd", "/proc/sysrq-trigger"):
    attempt(lambda: open(path, "w").write("v9"))
attempt(os.remove, "/models/v1.onnx")
attempt(lambda: socket.create_connection(("192.0.2.1", 80), 0.5))
for path in ("/proc/1/environ", "/proc/1/root/etc/shadow", "/models/../spec.json"):
    attempt(lambda: open(path).read())
service.main()
""",
        "",
    ),
    # One card's answer goes to another.
    "mixes_cards_up": _try(
        """
import service
last = {}
class Mixed(service.Model):
    def read(self, image):
        answer = super().read(image)
        mixed = {**answer, "digits": last.get("digits", answer["digits"])}
        last.update(answer)
        return mixed
service.Model = Mixed
service.main()
""",
        "correctness",
        " ".join(EVERY),
    ),
}
