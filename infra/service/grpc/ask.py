"""Ask the gRPC server for one picture after the other: a base64 line in, ``[digits, confidence]`` out.

python ask.py HOST:PORT
"""

import base64
import json
import struct
import sys

import grpc
from tritonclient.grpc import service_pb2 as messages
from tritonclient.grpc import service_pb2_grpc as services

from fsdl_deploy.service.tensors import ENCODED, elements, joined


def main(address: str) -> None:
    stub = services.GRPCInferenceServiceStub(grpc.insecure_channel(address))
    for line in sys.stdin:
        request = messages.ModelInferRequest(model_name=ENCODED)
        request.inputs.add(name="pictures", datatype="BYTES", shape=[1])
        request.raw_input_contents.append(joined([base64.b64decode(line)]))
        answer = stub.ModelInfer(request)
        raw = dict(zip((output.name for output in answer.outputs), answer.raw_output_contents, strict=True))
        (digits,) = elements(raw["digits"], "digits")
        print(json.dumps([digits.decode(), *struct.unpack("<f", raw["confidence"])]), flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
