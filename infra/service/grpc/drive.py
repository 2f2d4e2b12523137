"""Many callers of the gRPC server at once, measured by the course's meter: ``python drive.py HOST:PORT``.

Standard input is JSON: ``pictures`` in base64, the ``digits`` that each must give, ``users``, ``requests``.
Standard output: ``seconds``, and the ``latencies`` in ms of the calls that gave the right digits. The callers
share one connection, as is usual with gRPC.
"""

import base64
import itertools
import json
import sys

import grpc
from tritonclient.grpc import service_pb2 as messages
from tritonclient.grpc import service_pb2_grpc as services

from fsdl_deploy.measuring.load import closed_loop
from fsdl_deploy.service.tensors import ENCODED, elements, joined


def main(address: str) -> None:
    task = json.load(sys.stdin)
    stub = services.GRPCInferenceServiceStub(grpc.insecure_channel(address))
    requests = []
    for picture, digits in zip(task["pictures"], task["digits"], strict=True):
        request = messages.ModelInferRequest(model_name=ENCODED)
        request.inputs.add(name="pictures", datatype="BYTES", shape=[1])
        request.raw_input_contents.append(joined([base64.b64decode(picture)]))
        requests.append((request, digits))
    turns = itertools.cycle(requests)

    def call() -> None:
        request, expected = next(turns)
        answer = stub.ModelInfer(request, timeout=30)
        place = [output.name for output in answer.outputs].index("digits")
        (digits,) = elements(answer.raw_output_contents[place], "digits")
        if digits.decode() != expected:
            raise RuntimeError("other digits than the reader's")

    load = closed_loop(call, task["users"], task["requests"])
    print(json.dumps({"seconds": load.seconds, "latencies": load.latencies.tolist()}))


if __name__ == "__main__":
    main(sys.argv[1])
