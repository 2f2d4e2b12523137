"""The course's own service, in each of its formats, from this machine, from a container, and over gRPC."""

import json
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import httpx2

from fsdl_course.serving.ways import Ask, DigitsAndConfidence, base64_of, digits_and_confidence
from fsdl_deploy.packaging.containers import SAFELY, Container
from fsdl_deploy.packaging.engine import find_engine
from fsdl_deploy.packaging.layers import build
from fsdl_deploy.picture import Image, encode
from fsdl_deploy.running import stations
from fsdl_deploy.running.course_servers import course_server
from fsdl_deploy.running.servers import Server
from fsdl_deploy.running.stations import StationError
from fsdl_deploy.service import open_inference, tensors


class Service:
    """Our service in each of its formats: an ``ask`` for each name in ``formats``."""

    def __init__(self, url: str):
        self.web = httpx2.Client(base_url=url, trust_env=False, timeout=30)
        self.formats: dict[str, Ask] = {
            name: lambda image, read=read: digits_and_confidence(read(image))
            for name, read in self._reads().items()
        }

    def _reads(self) -> dict[str, Callable[[Image], dict]]:
        """Format -> what gives the reading of an image, as the service writes it there."""
        google = "/v1/projects/p/locations/l/endpoints/e:predict"
        by_row = by_column = "/v1/models/meter-reader:predict"
        reads = {
            "service, JSON": lambda i: self.post("/read", json={"pictures": [base64_of(i)]})["readings"][0],
            "service, form": lambda i: self.post("/read", files={"pictures": encode(i)})["readings"][0],
            "Google's format": lambda i: self.post(google, json=_instance(i))["predictions"][0],
            "Azure's format": lambda i: self.post("/score", json={"data": [base64_of(i)]})["readings"][0],
            "SageMaker's format": lambda i: self.post("/invocations", **_file(i))["predictions"][0],
            "TensorFlow Serving, by row": lambda i: self.post(by_row, json=_instance(i))["predictions"][0],
            "TensorFlow Serving, by column": lambda i: _first_row(
                self.post(by_column, json={"inputs": [{"b64": base64_of(i)}]})["outputs"]
            ),
        }
        for pixels in (False, True):
            what = "pixels" if pixels else "file"
            reads[f"Open Inference, JSON, {what}"] = lambda i, p=pixels: self.tensors(i, p, False)
            reads[f"Open Inference, bytes, {what}"] = lambda i, p=pixels: self.tensors(i, p, True)
        return reads

    def post(self, path: str, **body) -> dict:
        return self.web.post(path, **body).raise_for_status().json()

    def tensors(self, image: Image, pixels: bool, binary: bool) -> dict:
        """A reading by the Open Inference Protocol: of ``pixels`` or a file, as bytes or in JSON."""
        name = tensors.PIXELS if pixels else tensors.ENCODED
        if binary:
            body, headers = open_inference.binary_request([image], pixels)
        else:
            body, headers = json.dumps(open_inference.json_request([image], pixels)).encode(), {}
        answer = self.post(f"/v2/models/{name}/infer", content=body, headers=headers)
        return {output["name"]: output["data"][0] for output in answer["outputs"]}


def _file(image: Image) -> dict:
    return {"content": encode(image), "headers": {"Content-Type": "image/png"}}


def _instance(image: Image) -> dict:
    return {"instances": [{"b64": base64_of(image)}]}


def _first_row(columns: dict[str, list]) -> dict:
    return {name: values[0] for name, values in columns.items()}


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
    python, folder = stations.python("grpc"), stations.station("grpc").folder
    command = [python, folder / "server.py", "--port", "{port}"]
    with Server(command, ready=None, name="gRPC") as server:
        client = subprocess.Popen(
            [python, folder / "ask.py", f"127.0.0.1:{server.port}"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1,
        )  # fmt: skip

        def ask(image: Image) -> DigitsAndConfidence:
            client.stdin.write(base64_of(image) + "\n")
            return tuple(json.loads(client.stdout.readline()))

        with client:
            yield {"gRPC": ask}
            client.stdin.close()
