"""The reader behind LitServe: python serve.py --port PORT --max-batch 16 --delay-ms 2

LitServe calls the hooks of ``MeterReader`` in a worker process of its own, in this order: ``decode_request``
for each request of a batch, ``batch``, ``predict`` and ``unbatch`` for all, ``encode_response`` for each.
"""

import multiprocessing
import os
import signal
from typing import Annotated

import litserve
from fastapi import Body
from fastapi.responses import JSONResponse

from fsdl_deploy.picture import PictureError
from fsdl_deploy.reader import OnnxReader, read_encoded
from fsdl_deploy.reading import Reading
from fsdl_deploy.running.serve_options import options


class MeterReader(litserve.LitAPI):
    """One picture as the body of a request -> ``{"digits": …, "confidence": …, "batch": …}``."""

    def setup(self, device: str) -> None:
        self.reader = OnnxReader()

    def decode_request(self, request: Annotated[bytes, Body(media_type="image/png")]) -> bytes:
        return request

    def predict(self, inputs: list[bytes] | bytes) -> list[tuple] | tuple:
        """What ``encode_response`` gets, for each; without batching LitServe gives one, not a list of one."""
        if isinstance(inputs, bytes):
            return self.predict([inputs])[0]
        return [(answer, len(inputs)) for answer in read_encoded(self.reader, inputs)]

    def encode_response(self, output: tuple[Reading | PictureError, int]):
        """An exception here would refuse the whole batch; an answer with a status refuses one request."""
        answer, batch = output
        if isinstance(answer, PictureError):
            return JSONResponse({"detail": str(answer)}, 422)
        return {"digits": answer.digits, "confidence": answer.confidence, "batch": batch}


def main() -> None:
    args = options(__doc__.splitlines()[0])
    reader = MeterReader(max_batch_size=args.max_batch, batch_timeout=args.delay_ms / 1000)
    # Without ``restart_workers`` the death of the worker ends the server, and that takes half a minute.
    server = litserve.LitServer(
        reader, accelerator="cpu", workers_per_device=1, timeout=30, restart_workers=True
    )
    server.uvicorn_graceful_timeout = 5  # seconds that a server which ends waits for open requests
    # LitServe ends its workers on Ctrl-C, and a SIGTERM would leave them behind: so that is Ctrl-C here.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=lambda: signal.signal(signal.SIGTERM, signal.SIG_DFL))
    try:
        server.run("127.0.0.1", args.port, log_level="warning", generate_client_file=False)
    finally:
        for worker in multiprocessing.active_children():  # those of a start that was broken off
            worker.terminate()


if __name__ == "__main__":
    main()
