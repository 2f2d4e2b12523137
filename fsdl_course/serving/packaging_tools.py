"""The reader packed by Cog, BentoML and Truss: each tool's own server, on what the course packs for it."""

import os
import shutil
import subprocess
from pathlib import Path

import httpx2

from fsdl_course.serving.ways import DigitsAndConfidence, base64_of, digits_and_confidence
from fsdl_deploy.managed import vendor_servers
from fsdl_deploy.packaging.build_context import tool_context
from fsdl_deploy.paths import ROOT
from fsdl_deploy.picture import Image
from fsdl_deploy.running import stations
from fsdl_deploy.running.no_reports import NO_REPORTS, truss_settings
from fsdl_deploy.running.servers import Server

PACKAGING = ROOT / "infra" / "packaging"


def cog(folder: Path) -> Server:
    python, packed = stations.python("cog"), tool_context("cog", folder / "packed")
    (packed / ".cog").mkdir()
    shutil.copyfile(packed / "openapi_schema.json", packed / ".cog" / "openapi_schema.json")
    env = vendor_servers.COG_SETTINGS | {"PATH": f"{python.parent}{os.pathsep}{os.environ['PATH']}"}
    ready = vendor_servers.cog_is_ready
    return Server(vendor_servers.cog(python), ready=ready, env=env, cwd=packed, timeout=120, name="Cog")


def ask_cog(web: httpx2.Client, image: Image) -> DigitsAndConfidence:
    body = {"input": {"picture": f"data:image/png;base64,{base64_of(image)}"}}
    while (response := web.post("/predictions", json=body)).status_code == 409:  # its worker is not free yet
        pass
    prediction = response.raise_for_status().json()
    shutil.rmtree(f"/tmp/coglet/predictions/{prediction['id']}", ignore_errors=True)  # Cog leaves these
    return digits_and_confidence(prediction["output"])


def bentoml(folder: Path) -> Server:
    env = NO_REPORTS | {"BENTOML_HOME": str(folder / "store")}
    command = vendor_servers.bentoml(stations.python("bentoml"), "service:MeterReader")
    packed = tool_context("bentoml", folder / "packed")
    return Server(command, ready="/readyz", env=env, cwd=packed, timeout=180, name="BentoML")


def truss(folder: Path) -> Server:
    python, context = stations.python("truss"), folder / "context"
    command = [python.with_name("truss"), "--non-interactive", "image", "build-context", context]
    environ = os.environ | truss_settings(folder / "settings")
    packed = tool_context("truss", folder / "packed")
    subprocess.run([*command, packed], env=environ, capture_output=True, check=True)
    command = [python, PACKAGING / "truss" / "local.py", context, "{port}"]
    return Server(command, ready="/v1/models/model", timeout=120, name="Truss")
