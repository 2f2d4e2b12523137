"""REST and gRPC side by side: the same pictures, the same model, bytes and times, as JSON on standard output.

    python compare.py REST_HOST:PORT GRPC_HOST:PORT FOLDER_OF_PICTURES TURNS

Each way keeps one connection a thread. They take turns in every round, so that each meets the same machine.
"""

import http.client
import json
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import grpc
from tritonclient.grpc import service_pb2 as messages
from tritonclient.grpc import service_pb2_grpc as services

from fsdl_deploy.picture import Image, decode
from fsdl_deploy.service.open_inference import LENGTH, binary_request, json_request
from fsdl_deploy.service.tensors import ENCODED, elements

COUNTS = (1, 16)
USERS = 4


class Rest:
    """The protocol over REST: ``binary`` sends the tensors behind the JSON."""

    def __init__(self, address: str, binary: bool):
        self.connection, self.binary = http.client.HTTPConnection(address), binary

    def message(self, images: list[Image]) -> tuple[bytes, dict]:
        if self.binary:
            return binary_request(images)
        return json.dumps(json_request(images)).encode(), {}

    def size(self, message) -> int:
        return len(message[0])

    def ask(self, message) -> list[str]:
        body, headers = message
        self.connection.request("POST", f"/v2/models/{ENCODED}/infer", body, headers)
        answer = json.loads(self.connection.getresponse().read())
        return next(output["data"] for output in answer["outputs"] if output["name"] == "digits")


class Grpc:
    """The protocol over gRPC."""

    def __init__(self, address: str):
        self.stub = services.GRPCInferenceServiceStub(grpc.insecure_channel(address))

    def message(self, images: list[Image]):
        body, headers = binary_request(images)
        request = messages.ModelInferRequest(model_name=ENCODED)
        request.inputs.add(name="pictures", datatype="BYTES", shape=[len(images)])
        request.raw_input_contents.append(body[int(headers[LENGTH]) :])
        return request

    def size(self, message) -> int:
        return message.ByteSize()

    def ask(self, message) -> list[str]:
        answer = self.stub.ModelInfer(message)
        place = [output.name for output in answer.outputs].index("digits")
        return [element.decode() for element in elements(answer.raw_output_contents[place], "digits")]


def main(rest: str, grpc_address: str, folder: str, turns: int) -> None:
    images = [decode(path.read_bytes()) for path in sorted(Path(folder).glob("*.png"))]
    ways = {
        "REST, JSON": lambda: Rest(rest, binary=False),
        "REST, bytes": lambda: Rest(rest, binary=True),
        "gRPC": lambda: Grpc(grpc_address),
    }
    measured = {name: {"bytes": {}, "ms": {count: [] for count in COUNTS}} for name in ways}
    digits = []
    for count in COUNTS:
        clients = {name: way() for name, way in ways.items()}
        for name, client in clients.items():
            measured[name]["bytes"][count] = client.size(client.message(images[:count]))
            digits.append(client.ask(client.message(images[:count])))  # and the connection is there
        for _ in range(turns):
            for name, client in clients.items():
                start = time.perf_counter()
                client.ask(client.message(images[:count]))
                measured[name]["ms"][count].append(1000 * (time.perf_counter() - start))
    for name, way in ways.items():
        measured[name]["per second"] = throughput(way, images, turns)
    same = all(answer == digits[place - place % len(ways)] for place, answer in enumerate(digits))
    print(json.dumps({"same": same, "ways": measured}))


def throughput(way, images: list[Image], turns: int) -> float:
    """Requests a second of USERS threads, each with a connection of its own and one picture a request."""

    def user(_) -> None:
        client = way()
        for turn in range(turns):
            client.ask(client.message(images[turn % len(images) :][:1]))

    with ThreadPoolExecutor(USERS) as pool:
        start = time.perf_counter()
        list(pool.map(user, range(USERS)))
        return USERS * turns / (time.perf_counter() - start)


if __name__ == "__main__":
    main(*sys.argv[1:4], int(sys.argv[4]))
