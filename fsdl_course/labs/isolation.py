"""Which isolation holds on this machine: tried before use, not assumed.

``open_backend`` chooses bubblewrap, or a container engine, after student code of our own has tried to get out
of it. A machine without isolation is refused (``SandboxError``).
"""

import os
import shutil
import socket
import sys
import tempfile
from collections.abc import Iterator
from importlib.util import cache_from_source
from pathlib import Path

from fsdl_course.labs.backends.backend import Backend, SandboxError
from fsdl_course.labs.backends.bubblewrap import Bubblewrap
from fsdl_course.labs.backends.container_engine import Engine, image_name
from fsdl_course.labs.backends.unprotected import Unprotected
from fsdl_course.labs.sandbox import Sandbox
from fsdl_deploy.paths import ROOT


def open_backend(trusted: bool = False) -> Backend:
    """The first backend whose isolation holds on this machine; SandboxError if there is none."""
    if trusted:
        return Unprotected()
    reasons = []
    for backend in candidates(reasons):
        leaks = leaking(backend)
        if not leaks:
            return backend
        reasons.append(f"{backend.name}: {leaks}")
    raise SandboxError(
        f"No isolation for student code on this machine ({'; '.join(reasons)}). Install bubblewrap (Linux: "
        "the package bubblewrap), or start a container engine; --i-trust-these runs code unprotected"
    )


def candidates(reasons: list[str]) -> Iterator[Backend]:
    """Backends that are installed here; ``reasons`` gets a sentence for each that is not."""
    if shutil.which("bwrap") and sys.platform == "linux":
        yield Bubblewrap()
    else:
        reasons.append("bubblewrap is not installed")
    from fsdl_deploy.packaging import engine, layers

    program = shutil.which("docker") or shutil.which("podman")
    if program is None or engine.engine_address() is None:
        reasons.append("no container engine answers")
        return
    client = engine.find_engine(say=reasons.append)
    if client is None:
        return
    try:
        if not client.images.list(image_name()):
            layers.build(client, image_name())
        yield Engine(program=program)
    except (engine.ContainerError, OSError) as error:
        reasons.append(f"the image {image_name()} cannot be built: {str(error).splitlines()[0]}")
    finally:
        client.close()


PROBE = """
import ctypes, os, socket, sys
def outside_namespaces():
    # Things of the kernel that lie in no namespace, or outlive a call.
    if sys.platform != "linux": return []
    kernel = ctypes.CDLL(None)
    keyctl = {"x86_64": 250, "aarch64": 219}.get(os.uname().machine)
    leaks = []
    if keyctl is None or kernel.syscall(keyctl, 0, -4, 0) != -1: leaks.append("the kernel's keyrings")
    if kernel.shmget(0, 4096, 0o1600) >= 0: leaks.append("shared memory that outlives a call")
    try: os.close(os.memfd_create("canary")); leaks.append("files in memory that nothing bounds")
    except OSError: pass
    if os.fork() == 0: os._exit(kernel.unshare(0x10000000) == 0)
    if os.wait()[1]: leaks.append("a user namespace of its own")
    return leaks
def reached(canary, course, port, secret):
    leaks = []
    try: open(canary).read(); leaks.append("a file of this machine")
    except OSError: pass
    for path in course:
        try: open(path).read(); leaks.append("the course's folder (move it out of Python's)"); break
        except OSError: pass
    try: socket.create_connection(("127.0.0.1", port), 2).close(); leaks.append("the network")
    except OSError: pass
    if secret in os.environ: leaks.append("the environment")
    if os.getuid() == 0: leaks.append("the administrator's rights")
    for place in ("/", "/usr", "/course", "/app", "/etc"):
        file = os.path.join(place, "fsdl-canary")
        try: open(file, "w").close(); leaks.append("writing to " + place); os.unlink(file)
        except OSError: pass
    try:
        if len([name for name in os.listdir("/proc") if name.isdigit()]) > 20: leaks.append("other processes")
    except OSError: pass
    return leaks + outside_namespaces()
"""


def leaking(backend: Backend) -> str:
    """What student code could reach in this backend, in words; "" if it is shut. Tried, not assumed."""
    with tempfile.TemporaryDirectory() as folder, socket.socket() as listening:
        canary = Path(folder) / "canary"
        canary.write_text("reached", encoding="utf-8")
        canary.chmod(0o644)
        Path(folder).chmod(0o755)
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        name = "FSDL_CANARY"
        os.environ[name] = "1"
        try:
            with Sandbox([PROBE], backend) as sandbox:
                port = listening.getsockname()[1]
                probed = sandbox.call("reached", [str(canary), course_files(), port, name], 5)
        except SandboxError as error:
            return str(error)
        finally:
            os.environ.pop(name, None)
    if probed.error:
        return probed.error
    return f"student code would reach {', '.join(probed.value)}" if probed.value else ""


def course_files(root: Path = ROOT) -> list[str]:
    """A file of each of the course's folders that a sandbox must not show, and where it is compiled to."""
    folders = [root / name for name in ("fsdl_course", "fsdl_deploy", "labs", "solutions", "tests")]
    files = [str(next(folder.rglob("*.py"))) for folder in folders if folder.is_dir()]
    return files + [cache_from_source(file) for file in files]
