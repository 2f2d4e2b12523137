"""Google's own REST client asks several hosts, in turns: what they read, refuse, and how long they take.

``client.py FOLDER TURNS ENDPOINT HOST …`` prints one JSON object. Knows nothing of which program answers.
"""

import base64
import json
import sys
import time
from pathlib import Path

from google.api_core.exceptions import GoogleAPICallError
from google.auth.credentials import AnonymousCredentials
from google.cloud.aiplatform_v1 import PredictionServiceClient
from google.cloud.aiplatform_v1.services.prediction_service.transports import rest


def connect(host: str) -> PredictionServiceClient:
    """Google's client, sent to ``host`` instead of Google: no TLS, no account."""
    transport = rest.PredictionServiceRestTransport(
        host=host, url_scheme="http", credentials=AnonymousCredentials()
    )
    return PredictionServiceClient(transport=transport)


def predict(client: PredictionServiceClient, endpoint: str, pictures: list[bytes]) -> list[list]:
    """``[digits, confidence]`` of each encoded picture, in order."""
    instances = [{"b64": base64.b64encode(picture).decode()} for picture in pictures]
    return [
        [prediction["digits"], prediction["confidence"]]
        for prediction in client.predict(endpoint=endpoint, instances=instances).predictions
    ]


def refusal(client: PredictionServiceClient, endpoint: str, instances: list[dict]) -> str:
    """What the client says of instances that are wrong."""
    try:
        client.predict(endpoint=endpoint, instances=instances)
    except GoogleAPICallError as error:
        return str(error)
    return "answered"


def main(folder: str, turns: str, endpoint: str, *hosts: str) -> dict:
    """All of it, by host."""
    pictures = [path.read_bytes() for path in sorted(Path(folder).glob("*.png"))]
    wrong = {"no picture": [{"b64": "bm8gcGljdHVyZQ=="}], "another key": [{"image_bytes": ""}]}
    clients = {host: connect(host) for host in hosts}
    answers = {"readings": {}, "refused": {}, "ms": {host: [] for host in hosts}}
    for host, client in clients.items():
        answers["readings"][host] = predict(client, endpoint, pictures)
        answers["refused"][host] = {name: refusal(client, endpoint, bad) for name, bad in wrong.items()}
    for _ in range(int(turns)):
        for host, client in clients.items():
            start = time.perf_counter()
            predict(client, endpoint, pictures[:1])
            answers["ms"][host].append(1000 * (time.perf_counter() - start))
    return answers


if __name__ == "__main__":
    print(json.dumps(main(*sys.argv[1:])))
