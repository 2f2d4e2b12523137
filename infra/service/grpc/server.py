"""The Open Inference Protocol over gRPC: the same two models as over REST, from the same reader.

    python server.py --port 8001

gRPC sends messages of a fixed form (protocol buffers) over HTTP/2. Its calls are in ``inference``. Health and
reflection are the standard services of gRPC. Who may call is in ``access``: where FSDL_API_KEY is set,
whoever wants a reading must send it. It ends on SIGTERM, after the calls that run.

With --shared-memory callers on this machine may leave tensors in POSIX shared memory and send their place.
"""

import argparse
import asyncio
import os
import signal
import sys

import grpc
from access import Access
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection
from inference import Inference
from tritonclient.grpc import service_pb2 as messages
from tritonclient.grpc import service_pb2_grpc as services

from fsdl_deploy.measuring.machine import whole_cores
from fsdl_deploy.reader import OnnxReader
from fsdl_deploy.service import allocator
from fsdl_deploy.service.model import Model
from fsdl_deploy.service.parsing import MAX_BODY
from fsdl_deploy.service.shared_memory import Regions


async def serve(
    port: int, model: Model, access: Access, inference: Inference, drain: float, grace: float
) -> None:
    """Serve until SIGTERM or Ctrl-C, and ``drain`` seconds longer, but say then that it is not ready.

    Then no new calls are taken, and those that were have ``grace`` seconds. Each further signal ends a wait.
    """
    await model.load()
    if model.failure:
        raise SystemExit(f"the model did not load: {model.failure}")
    # By default a second server may listen at the same port, and each gets some of the other's calls.
    options = [("grpc.max_receive_message_length", MAX_BODY), ("grpc.so_reuseport", 0)]
    server = grpc.aio.server(interceptors=[access], options=options)
    services.add_GRPCInferenceServiceServicer_to_server(inference, server)
    healthy = health.aio.HealthServicer()
    await healthy.set("", health_pb2.HealthCheckResponse.SERVING)
    health_pb2_grpc.add_HealthServicer_to_server(healthy, server)
    names = [messages.DESCRIPTOR.services_by_name["GRPCInferenceService"].full_name]
    reflection.enable_server_reflection([*names, health.SERVICE_NAME, reflection.SERVICE_NAME], server)
    bound = server.add_insecure_port(f"127.0.0.1:{port}")
    await server.start()
    print(f"serving at grpc://127.0.0.1:{bound}", flush=True)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):  # not add_signal_handler, which Windows lacks
        signal.signal(name, lambda *_: loop.call_soon_threadsafe(stop.set))
    await stop.wait()
    model.stopping = True
    await healthy.enter_graceful_shutdown()
    await _either(asyncio.sleep(drain), stop)
    await _either(_quiet(access), stop)
    access.end_streams()
    await _either(server.stop(grace), stop)
    await server.stop(None)
    model.close()
    if inference.regions:
        inference.regions.unregister()


async def _quiet(access: Access) -> None:
    """Until no call has come for a moment: gRPC drops what it has received and not handed over yet."""
    for _ in range(10):
        calls = access.calls
        await asyncio.sleep(0.2)
        if access.calls == calls:
            return


async def _either(wait, stop: asyncio.Event) -> None:
    """Until ``wait`` is over or the next signal comes, whichever is first."""
    stop.clear()
    both = [asyncio.ensure_future(wait), asyncio.ensure_future(stop.wait())]
    await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
    both[1].cancel()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--port", type=int, default=8001)
    parser.add_argument("--threads", type=int, default=whole_cores())
    parser.add_argument("--max-waiting", type=int, default=64)
    parser.add_argument("--max-batch", type=int, default=1)
    parser.add_argument("--max-pictures", type=int, default=64)
    parser.add_argument("--drain", type=float, default=0, help="go on for so many seconds after SIGTERM")
    parser.add_argument(
        "--grace", type=float, default=30, help="seconds for calls that were taken (default: 30)"
    )
    parser.add_argument("--access-log", action="store_true", help="write a line of JSON for each call")
    shared = "tensors of callers on this machine in POSIX shared memory (Linux, macOS)"
    parser.add_argument("--shared-memory", action="store_true", help=shared)
    args = parser.parse_args()
    try:
        regions = Regions() if args.shared_memory else None
    except RuntimeError as error:
        parser.error(f"--shared-memory: {error}")
    allocator.keep_little()
    access = Access(os.environ.get("FSDL_API_KEY") or None, sys.stdout if args.access_log else None)
    model = Model(lambda: OnnxReader(), args.threads, args.max_waiting, args.max_batch)
    inference = Inference(model, args.max_pictures, regions)
    asyncio.run(serve(args.port, model, access, inference, args.drain, args.grace))
