"""KServe's own client asks for one card in each way: ``client.py URL GRPC_ADDRESS PICTURE``."""

import asyncio
import base64
import sys
from pathlib import Path

import numpy as np
from kserve import InferenceGRPCClient, InferenceRESTClient, InferInput, InferRequest, RESTConfig


def request(data: bytes, binary: bool) -> InferRequest:
    card = InferInput("pictures", [1], "BYTES")
    card.set_data_from_numpy(np.array([data], object), binary_data=binary)
    return InferRequest("meter-reader", [card])


async def main(url: str, address: str, picture: bytes) -> None:
    rest = InferenceRESTClient(RESTConfig(protocol="v2"))
    text = base64.b64encode(picture)
    for way, (data, binary) in {
        "JSON": (text, False),
        "binary": (picture, True),
        "binary, base64": (text, True),
    }.items():
        try:
            answer = await rest.infer(url, request(data, binary), model_name="meter-reader")
            print(f"HTTP, {way:15}", *answer.outputs[0].data)
        except Exception as error:
            print(f"HTTP, {way:15}", type(error).__name__, str(error)[:16], "…")
    answer = await InferenceGRPCClient(address).infer(request(picture, True))
    print(f"gRPC {'':16}", answer.outputs[0].data[0].decode())


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:3], Path(sys.argv[3]).read_bytes()))
