"""Triton with our models, without a container: ``python serve.py --port PORT --max-batch 16 --delay-ms 2``.

The server is the program that NVIDIA packs into the wheel ``nvidia-pytriton``, with one backend, Python's,
and one response cache. It is given a *model repository*: the folder ``models``, put together in a temporary
folder with the options filled in and a folder for each version. gRPC and metrics get free ports, which
the log tells.
"""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path
from string import Template

import pytriton

from fsdl_deploy.paths import ROOT
from fsdl_deploy.running.ports import HOST, free_port
from fsdl_deploy.running.serve_options import options

MODELS = Path(__file__).parent / "models"
TRITON = Path(pytriton.__file__).parent / "tritonserver"
VERSIONS = (1, 2)


def assemble(folder: Path, max_batch: int, delay_ms: float, readers: int = 1) -> None:
    """Write ``folder/models``, the repository, and ``folder/backends``, where Python's finds its helper."""
    reader = shutil.copytree(MODELS, folder / "models") / "reader"
    config = Template((reader / "config.pbtxt").read_text(encoding="utf-8"))
    filled = config.substitute(max_batch=max_batch, delay_us=round(1000 * delay_ms), readers=readers)
    (reader / "config.pbtxt").write_text(filled, encoding="utf-8")
    for version in VERSIONS:
        (reader / str(version)).mkdir()
        shutil.copy(reader / "model.py", reader / str(version))
    (folder / "models" / "meter-reader" / "1").mkdir()  # an ensemble has no file, but wants a version
    shutil.copytree(TRITON / "backends", folder / "backends")
    stub = TRITON / "python_backend_stubs" / f"3.{sys.version_info.minor}" / "triton_python_backend_stub"
    shutil.copy(stub, folder / "backends" / "python")


def command(folder: Path, port: int) -> list:
    """Explicit control: it loads what it is told to, now and later over its API."""
    return [
        TRITON / "bin" / "tritonserver",
        f"--model-repository={folder / 'models'}",
        "--model-control-mode=explicit",
        "--load-model=meter-reader",
        f"--backend-directory={folder / 'backends'}",
        f"--backend-config=python,shm-region-prefix-name={folder.name}",
        f"--cache-directory={TRITON / 'caches'}",
        "--cache-config=local,size=16777216",
        *(f"--{name}-address={HOST}" for name in ("http", "grpc", "metrics")),
        f"--http-port={port}",
        f"--grpc-port={free_port()}",
        f"--metrics-port={free_port()}",
        "--exit-timeout-secs=2",  # of clients that keep their connections open
    ]


def environment(folder: Path) -> dict[str, str]:
    """The processes of the Python backend must find this environment, and its libraries.

    Python inside Triton knows ASCII paths only, whatever the locale says: ``folder`` has links to the others.
    """
    station, course = folder / "station", folder / "course"
    station.symlink_to(sys.prefix)
    course.symlink_to(ROOT)
    packages = station / TRITON.parent.parent.relative_to(sys.prefix)
    return os.environ | {
        "LD_LIBRARY_PATH": f"{packages / 'nvidia_pytriton.libs'}:{sysconfig.get_config_var('LIBDIR')}",
        "PYTHONPATH": f"{packages}:{course}",
        "PATH": f"{station / 'bin'}:{os.environ['PATH']}",
        "VIRTUAL_ENV": str(station),
    }


if __name__ == "__main__":
    args = options(__doc__.splitlines()[0], several=True)
    before = set(Path("/tmp").glob("python_env_*"))
    with tempfile.TemporaryDirectory(prefix="fsdl-triton-") as name:
        assemble(Path(name), args.max_batch, args.delay_ms, args.readers)
        server = subprocess.Popen(command(Path(name), args.port), env=environment(Path(name)))
        signal.signal(signal.SIGTERM, lambda *_: server.terminate())
        status = server.wait()
        for leftover in Path("/dev/shm").glob(f"{Path(name).name}*"):  # of a model's process that was killed
            leftover.unlink(missing_ok=True)
        for leftover in set(Path("/tmp").glob("python_env_*")) - before:  # an empty folder, then too
            with contextlib.suppress(OSError):
                leftover.rmdir()
    sys.exit(status)
