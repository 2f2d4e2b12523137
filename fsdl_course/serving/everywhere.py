"""``fsdl-course everywhere``: the same cards through every server of the course; are the answers the same?

Each way starts a server, asks for one card at a time, and gives its digits and confidence. They are compared
with the reader in this process: the digits, and every bit of the confidence, a float32. What cannot run here
(a station that is not built, no container engine) is named and skipped.
"""

import base64
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path

import httpx
import numpy as np
from tqdm.auto import tqdm

from fsdl_course.serving.libraries import OURS, Library, libraries
from fsdl_deploy.cards import cards
from fsdl_deploy.packaging.containers import SAFELY, Container
from fsdl_deploy.packaging.context import tool_context
from fsdl_deploy.packaging.engine import ContainerError, find_engine
from fsdl_deploy.packaging.layers import build
from fsdl_deploy.paths import ROOT
from fsdl_deploy.picture import Image, encode
from fsdl_deploy.reader import OnnxReader
from fsdl_deploy.running import stations
from fsdl_deploy.running.commands import course_server
from fsdl_deploy.running.servers import Server, ServerError
from fsdl_deploy.running.stations import StationError
from fsdl_deploy.service import open_inference

Said = tuple[str, float]
Ask = Callable[[Image], Said]
INFRA = ROOT / "infra"


def text(image: Image) -> str:
    return base64.b64encode(encode(image)).decode()


def said(one: dict) -> Said:
    return one["digits"], one["confidence"]


class Service:
    """Our service in each of its formats: an ``ask`` for each name in ``formats``."""

    def __init__(self, url: str):
        self.web = httpx.Client(base_url=url, trust_env=False, timeout=30)
        self.formats: dict[str, Ask] = {
            "service, JSON": lambda i: said(self.post("/read", json={"pictures": [text(i)]})["readings"][0]),
            "service, form": lambda i: said(self.post("/read", files={"pictures": encode(i)})["readings"][0]),
            "Google's format": lambda i: said(
                self.post(
                    "/v1/projects/p/locations/l/endpoints/e:predict", json={"instances": [{"b64": text(i)}]}
                )["predictions"][0]
            ),
            "Azure's format": lambda i: said(self.post("/score", json={"data": [text(i)]})["readings"][0]),
            "SageMaker's format": lambda i: said(
                self.post("/invocations", content=encode(i), headers={"Content-Type": "image/png"})[
                    "predictions"
                ][0]
            ),
        }
        predict = "/v1/models/meter-reader:predict"
        self.formats["TensorFlow Serving, by row"] = lambda i: said(
            self.post(predict, json={"instances": [{"b64": text(i)}]})["predictions"][0]
        )
        self.formats["TensorFlow Serving, by column"] = lambda i: said(
            {k: v[0] for k, v in self.post(predict, json={"inputs": [{"b64": text(i)}]})["outputs"].items()}
        )
        for pixels in (False, True):
            what = "pixels" if pixels else "file"
            self.formats[f"Open Inference, JSON, {what}"] = lambda i, p=pixels: self.tensors(i, p, False)
            self.formats[f"Open Inference, bytes, {what}"] = lambda i, p=pixels: self.tensors(i, p, True)

    def post(self, path: str, **body) -> dict:
        return self.web.post(path, **body).raise_for_status().json()

    def tensors(self, image: Image, pixels: bool, binary: bool) -> Said:
        name = open_inference.PIXELS if pixels else open_inference.ENCODED
        if binary:
            body, headers = open_inference.binary_request([image], pixels)
        else:
            body, headers = json.dumps(open_inference.json_request([image], pixels)).encode(), {}
        answer = self.post(f"/v2/models/{name}/infer", content=body, headers=headers)
        values = {output["name"]: output["data"][0] for output in answer["outputs"]}
        return said(values)


@contextmanager
def our_service() -> Iterator[dict[str, Ask]]:
    with course_server("serve", name="our service") as server:
        yield Service(server.url).formats


@contextmanager
def container() -> Iterator[dict[str, Ask]]:
    engine = find_engine(say=lambda _: None)
    if engine is None:
        raise StationError("no container engine answers")
    build(engine, "meter-reader:everywhere")
    with Container(engine, "meter-reader:everywhere", **SAFELY) as service:
        yield {"container": Service(service.url).formats["service, JSON"]}


@contextmanager
def grpc() -> Iterator[dict[str, Ask]]:
    """The client is a process of its station: pictures go in and answers come out, a line each."""
    python, folder = stations.python("grpc"), INFRA / "service" / "grpc"
    command = [python, folder / "server.py", "--port", "{port}"]
    with Server(command, ready=None, name="gRPC") as server:
        client = subprocess.Popen(
            [python, folder / "ask.py", f"127.0.0.1:{server.port}"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1,
        )  # fmt: skip

        def ask(image: Image) -> Said:
            client.stdin.write(text(image) + "\n")
            return tuple(json.loads(client.stdout.readline()))

        with client:
            yield {"gRPC": ask}
            client.stdin.close()


def single(name: str, port_of: Callable, ask: Callable[[httpx.Client, Image], Said]):
    """A way of one server: ``port_of(folder)`` makes it, ``folder`` is scratch space."""

    @contextmanager
    def way() -> Iterator[dict[str, Ask]]:
        with ExitStack() as stack:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            server = stack.enter_context(port_of(folder))
            web = stack.enter_context(httpx.Client(base_url=server.url, trust_env=False, timeout=30))
            yield {name: lambda image: ask(web, image)}

    return way


def cog(folder: Path) -> Server:
    python, packed = stations.python("cog"), tool_context("cog", folder / "packed")
    (packed / ".cog").mkdir()
    shutil.copyfile(packed / "openapi_schema.json", packed / ".cog" / "openapi_schema.json")
    env = {"PORT": "{port}", "COG_PREDICT_TYPE_STUB": "run.py:Runner"}
    env["PATH"] = f"{python.parent}{os.pathsep}{os.environ['PATH']}"

    def ready(server: Server) -> bool:
        return httpx.get(server.url + "/health-check", trust_env=False).json()["status"] == "READY"

    command = [python, "-m", "cog.server.http", "--host", "127.0.0.1"]
    return Server(command, ready=ready, env=env, cwd=packed, timeout=120, name="Cog")


def ask_cog(web: httpx.Client, image: Image) -> Said:
    body = {"input": {"picture": f"data:image/png;base64,{text(image)}"}}
    while (
        answer := web.post("/predictions", json=body)
    ).status_code == 409:  # its one worker is not free yet
        pass
    told = answer.raise_for_status().json()
    shutil.rmtree(f"/tmp/coglet/predictions/{told['id']}", ignore_errors=True)  # Cog leaves these
    return said(told["output"])


def bentoml(folder: Path) -> Server:
    env = {"BENTOML_HOME": str(folder / "store"), "BENTOML_DO_NOT_TRACK": "True"}
    command = [stations.python("bentoml"), "-m", "bentoml", "serve", "service:MeterReader"]
    command += ["--host", "127.0.0.1", "--port", "{port}"]
    packed = tool_context("bentoml", folder / "packed")
    return Server(command, ready="/readyz", env=env, cwd=packed, timeout=180, name="BentoML")


def vertex(folder: Path) -> Server:
    place = INFRA / "managed" / "vertex"
    settings = stations.settings(place / "local.env")
    command = [stations.python("vertex"), "-m", "uvicorn", "--host", "127.0.0.1", "--port", "{port}"]
    command += ["--factory", "google.cloud.aiplatform.prediction.model_server:CprModelServer"]
    ready = settings["AIP_HEALTH_ROUTE"]
    return Server(command, ready=ready, env=settings, cwd=place, timeout=180, name="Vertex AI")


def ask_vertex(web: httpx.Client, image: Image) -> Said:
    route = stations.settings(INFRA / "managed" / "vertex" / "local.env")["AIP_PREDICT_ROUTE"]
    answer = web.post(route, json={"instances": [{"b64": text(image)}]}).raise_for_status()
    return said(answer.json()["predictions"][0])


def azureml(folder: Path) -> Server:
    app = "azureml_inference_server_http.server.entry:app"
    command = [stations.python("azureml"), "-m", "gunicorn", "--bind", "127.0.0.1:{port}"]
    env = {"AML_APP_ROOT": str(INFRA / "managed" / "azureml"), "AZUREML_ENTRY_SCRIPT": "score.py"}
    return Server(
        [*command, "--no-control-socket", app], ready="/", env=env, cwd=folder, timeout=120, name="Azure ML"
    )


def truss(folder: Path) -> Server:
    # It would keep settings in the home folder, and ask the internet for a newer Truss.
    (folder / "settings" / "truss").mkdir(parents=True)
    (folder / "settings" / "truss" / "settings.toml").write_text("[preferences]\ncheck_for_updates = false\n")
    python, context = stations.python("truss"), folder / "context"
    command = [python.with_name("truss"), "--non-interactive", "image", "build-context", context]
    environ = os.environ | {"XDG_CONFIG_HOME": str(folder / "settings")}
    packed = tool_context("truss", folder / "packed")
    subprocess.run([*command, packed], env=environ, capture_output=True, check=True)
    command = [python, INFRA / "packaging" / "truss" / "local.py", context, "{port}"]
    return Server(command, ready="/v1/models/model", timeout=120, name="Truss")


def ask_library(library: Library, web: httpx.Client, image: Image) -> Said:
    body, headers = library.request(encode(image))
    return library.reading(web.post(library.path, content=body, headers=headers).raise_for_status().content)


def _ask(path: str, body: Callable[[Image], dict], place: Callable[[dict], dict]):
    return lambda web, image: said(place(web.post(path, **body(image)).raise_for_status().json()))


def ways() -> dict[str, Callable]:
    """Every way by its name: a context that starts a server and gives an ``Ask`` for each of its formats."""
    asked = {
        "Cog": (cog, ask_cog),
        "BentoML": (bentoml, _ask("/read", lambda i: {"files": {"picture": encode(i)}}, lambda told: told)),
        "Truss": (
            truss,
            _ask("/v1/models/model:predict", lambda i: {"json": {"picture": text(i)}}, lambda told: told),
        ),
        "Vertex AI's server": (vertex, ask_vertex),
        "Azure ML's server": (
            azureml,
            _ask("/score", lambda i: {"json": {"data": [text(i)]}}, lambda told: told["readings"][0]),
        ),
    }
    for library in libraries().values():
        if library.name != OURS:
            name = f"{library.title}, batches" if library.title in asked else library.title
            asked[name] = (
                lambda folder, one=library: one.server(1, 0),
                partial(ask_library, library),
            )
    found = {"our service": our_service, "gRPC": grpc, "container": container}
    return found | {name: single(name, *how) for name, how in asked.items()}


def compare(
    images: list[Image], wanted: list[Said], chosen: dict[str, Callable], say: Callable[[str], None] = print
) -> dict[str, tuple[int, float]]:
    """Name -> (cards whose digits differ, the largest difference of a confidence); 0, 0.0 is the same.

    A way that cannot start here is skipped, after a sentence.
    """
    found = {}
    for name, way in chosen.items():
        try:
            with way() as formats:
                for label, ask in formats.items():
                    given = [ask(image) for image in tqdm(images, label, unit="card", leave=False)]
                    other = sum(one[0] != right[0] for one, right in zip(given, wanted, strict=True))
                    # As float32, which the model computes: one server's JSON may round a double's last bit.
                    apart = np.float32([one[1] for one in given]) - np.float32([one[1] for one in wanted])
                    found[label] = (other, float(np.abs(apart).max()))
                    say(f"{label:30} {verdict(*found[label])}")
        except (StationError, ServerError, ContainerError) as error:
            say(f"{name:30} skipped: {str(error).splitlines()[0]}")
    return found


def verdict(other: int, apart: float) -> str:
    if not other and not apart:
        return "the same, to the last bit"
    return f"{other} cards have other digits, confidences differ by up to {apart:.1e}"


def add_arguments(parser) -> None:
    parser.add_argument("--cards", type=int, default=1000, help="how many (default: %(default)s)")
    parser.add_argument("--only", nargs="+", choices=list(ways()), metavar="WAY", help=", ".join(ways()))


def main(args) -> int:
    if args.cards < 1:
        raise ValueError("--cards must be at least 1")
    chosen = {name: way for name, way in ways().items() if not args.only or name in args.only}
    images = [card.image for card in cards(args.cards, "typical", seed=5)]
    reader = OnnxReader()
    readings = [reader.read([image])[0] for image in images]
    found = compare(images, [(one.digits, one.confidence) for one in readings], chosen)
    return 0 if found and not any(map(any, found.values())) else 1
