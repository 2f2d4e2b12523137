"""TorchServe with our reader: ``python serve.py --port PORT --max-batch 16 --delay-ms 2``

A server in Java takes the requests and makes the batches; it starts a Python process for each worker. What
both need and write lies in one temporary folder: the model archive, the configuration, the sockets between
them. Java is started here and not by the command ``torchserve``, which passes no signal on to it.
"""

import json
import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import ts
from model_archiver.model_archiver import ModelArchiver
from model_archiver.model_archiver_config import ModelArchiverConfig

from fsdl_deploy import weights
from fsdl_deploy.measuring import machine
from fsdl_deploy.running import stations
from fsdl_deploy.running.ports import HOST, free_port
from fsdl_deploy.running.serve_options import options

HERE = Path(__file__).parent
TS = Path(ts.__file__).parent


def archive(version: str, store: Path) -> None:
    """Write ``store/meter-reader-VERSION.mar``: the graph with its checksum, the handler, a manifest."""
    models = weights.folder()
    config = ModelArchiverConfig(
        model_name="meter-reader",
        version=f"{version.removeprefix('v')}.0",
        serialized_file=str(models / f"{version}.onnx"),
        handler=str(HERE / "handler.py"),
        extra_files=str(models / weights.SUMS),
        export_path=str(store),
    )
    ModelArchiver.generate_model_archive(config)
    (store / "meter-reader.mar").rename(store / f"meter-reader-{version}.mar")


def configuration(folder: Path, port: int, max_batch: int, delay_ms: float) -> str:
    """The text of ``config.properties``: its addresses, and v2 with one worker."""
    model = {"marName": "meter-reader-v2.mar", "minWorkers": 1, "maxWorkers": 2, "responseTimeout": 30}
    model |= {"batchSize": max_batch, "maxBatchDelay": max(1, round(delay_ms))}  # 0 would be taken for 100
    settings = {
        "inference_address": f"http://{HOST}:{port}",
        "management_address": f"http://{HOST}:{free_port()}",
        "metrics_address": f"http://{HOST}:{free_port()}",
        "grpc_inference_port": free_port(),  # on 127.0.0.1 too
        "grpc_management_port": free_port(),
        "model_store": folder / "store",
        "load_models": "meter-reader-v2.mar",
        "models": json.dumps({"meter-reader": {"2.0": model}}),
        # Tokens keep strangers out. Who reaches loopback is a user of this machine, and these are trusted
        # here; with any other address this line and the next must go.
        "disable_token_authorization": "true",
        "enable_model_api": "true",  # models can be registered while it runs
        "allowed_urls": "none",  # but only from the store: an archive is a program
        "decode_input_request": "false",  # the handler gets bytes, whatever type the caller names
        "metrics_mode": "prometheus",
        "disable_system_metrics": "true",  # else a process each minute looks at this machine
    }
    return "".join(f"{name}={value}\n" for name, value in settings.items())


def command(folder: Path) -> list:
    return [
        machine.java(),
        f"-Dmodel_server_home={TS.parent}",
        f"-Djava.io.tmpdir={folder}",
        f"-Dlog4j2.configurationFile={HERE / 'log4j2.xml'}",
        "-XX:-UsePerfData",  # else a folder in /tmp outlives it
        *("-cp", TS / "frontend" / "*"),
        "org.pytorch.serve.ModelServer",
        *("--python", sys.executable),
        *("-f", folder / "config.properties"),
        "-ncs",  # no snapshots of the configuration
    ]


if __name__ == "__main__":
    args = options(__doc__.splitlines()[0])
    if machine.java() is None:
        sys.exit(stations.NO_JAVA)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())  # through the ends of the blocks below
    with tempfile.TemporaryDirectory(prefix="fsdl-torchserve-") as name:
        folder = Path(name)
        (folder / "store").mkdir()
        tempfile.tempdir = name  # the archiver packs in a folder of one name there, which two would share
        for version in ("v1", "v2"):
            archive(version, folder / "store")
        text = configuration(folder, args.port, args.max_batch, args.delay_ms)
        # Java reads such a file as Latin-1, and other letters as escapes.
        escaped = "".join(sign if sign.isascii() else f"\\u{ord(sign):04x}" for sign in text)
        (folder / "config.properties").write_text(escaped, encoding="ascii")
        print(text)  # in the log, since the free ports stand in it
        with subprocess.Popen(command(folder), cwd=folder, env=os.environ | {"TMPDIR": name}) as server:
            try:
                sys.exit(server.wait())
            finally:
                server.terminate()  # it ends its workers; leaving the block waits for it
