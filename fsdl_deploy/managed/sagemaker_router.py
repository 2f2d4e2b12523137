"""The data plane of SageMaker: answers invocations, by the variant that the control plane's weights choose

``python -m fsdl_deploy.managed.sagemaker_router --plane URL --port N`` asks SageMaker's API every moment what
endpoints there are, starts the instances that they want, and answers ``/endpoints/NAME/invocations`` as AWS
does. The last answer of the control plane holds while that is away. With ``--capture FOLDER`` it writes down
what was answered, in SageMaker's own format. Signatures and rights are not checked.
"""

import argparse
import asyncio
import random
import sys
import time
from collections.abc import Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import httpx2
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from fsdl_deploy.managed import sagemaker_errors as errors
from fsdl_deploy.managed.sagemaker_capture import Capture
from fsdl_deploy.managed.sagemaker_clients import client
from fsdl_deploy.managed.sagemaker_instances import VariantInstance, VariantInstances
from fsdl_deploy.managed.sagemaker_wishes import Variant, Wish, wishes
from fsdl_deploy.running.servers import ServerError

EVERY = 1.0  # seconds between two questions to the control plane
MOST, MOST_SERVERLESS = 25 * 2**20, 4 * 2**20  # bytes of a body, as the table of prices has them
SECONDS = 60  # a model may take
MIRRORS = 32  # copies for a shadow at the same time: more are left out
PASSED_ON = ("content-type", "accept", "x-amzn-sagemaker-custom-attributes")
OWN = "x-amzn-sagemaker-"


class DataPlane:
    """What answers. ``ask`` gives the wishes for those before; ``instances`` run what is wished for."""

    def __init__(
        self,
        ask: Callable[[dict[str, Wish]], dict[str, Wish]],
        instances: VariantInstances,
        capture: Capture | None = None,
        seconds: float = SECONDS,
    ):
        self.ask, self.instances, self.capture, self.seconds = ask, instances, capture, seconds
        self.wishes: dict[str, Wish] = {}
        self.mirrors: set[asyncio.Task] = set()
        self.left_out, self.problem, self.not_captured = 0, "", ""
        self.looking = asyncio.Lock()
        self.chance = random.Random()

    async def look(self) -> None:
        """Ask the control plane once, and see to the instances. An answer that fails changes nothing."""
        async with self.looking:
            try:
                self.wishes = await asyncio.to_thread(self.ask, self.wishes)
                self.problem = ""
            except Exception as error:  # whatever is wrong there, here is answered as before
                self.problem = f"{type(error).__name__}: {error}"
            await asyncio.to_thread(self.instances.follow, self.wishes)

    async def look_now(self, request: Request) -> Response:
        """Look once more before the next moment: whoever has just changed something need not wait for it."""
        await self.look()
        return Response()

    async def watch(self) -> None:
        while True:
            await self.look()
            await asyncio.sleep(EVERY)

    async def invoke(self, request: Request) -> Response:
        """``InvokeEndpoint``."""
        try:
            wish, variant = self.chosen(request)
            passed_on(request)
            body = await limited(request, MOST_SERVERLESS if variant.at_once else MOST)
            event = request.headers.get(OWN + "inference-id", "")
            if wish.shadow and self.chance.random() < wish.shadow_share:
                self.mirror(wish, request, body, event)
            answer = await self.asked(wish, variant, request, body, event)
        except errors.InvocationError as error:
            return Response(error.body, error.status, error.headers)
        headers = {"x-amzn-invoked-production-variant": variant.name}
        for name in ("content-type", OWN + "custom-attributes"):
            if name in answer.headers:  # its bytes as they are, whatever the model's are
                headers[name] = answer.headers[name].encode(answer.headers.encoding).decode("latin-1")
        return Response(answer.content, 200, headers)

    def chosen(self, request: Request) -> tuple[Wish, Variant]:
        """The endpoint and the variant that answers: the one asked for, or one by the weights."""
        name = request.path_params["endpoint"]
        wish = self.wishes.get(name)
        if wish is None:
            raise errors.unknown_endpoint(name)
        target = request.headers.get(OWN + "target-variant")
        variant = wish.variant(target) if target else wish.chosen(self.chance.random())
        if variant is None:
            raise errors.unknown_variant(target, name) if target else errors.no_answer(name)
        return wish, variant

    async def asked(
        self, wish: Wish, variant: Variant, request: Request, body: bytes, event: str
    ) -> httpx2.Response:
        """What the model answers. Raises InvocationError for all that is no success."""
        try:
            instance = self.instances.of(wish, variant)
        except ServerError:
            raise errors.no_answer(wish.endpoint) from None
        if variant.at_once and instance.running >= variant.at_once:
            raise errors.too_many(variant.at_once)
        instance.running += 1
        try:
            answer = await self.sent(instance, request, body)
        except httpx2.TimeoutException:
            raise errors.too_slow() from None
        except (httpx2.HTTPError, ServerError):
            raise errors.no_answer(wish.endpoint) from None
        finally:
            instance.running -= 1
            instance.last = time.monotonic()
        self.note(wish, variant, body, answer.text, event)
        if not answer.is_success:
            raise errors.refused(answer.status_code, answer.text)
        return answer

    def note(self, wish: Wish, variant: Variant, body: bytes, answer: str, event: str) -> None:
        """Capture it. What cannot be written is said of the endpoint, and takes nobody's answer away."""
        if self.capture is None:
            return
        try:
            self.capture.note(wish.endpoint, variant.name, body, answer, event)
            self.not_captured = ""
        except OSError as error:
            self.not_captured = f"{type(error).__name__}: {error}"

    async def sent(self, instance: VariantInstance, request: Request, body: bytes) -> httpx2.Response:
        if instance.serverless:
            address = await asyncio.to_thread(instance.started)
        elif instance.server.running:
            address = instance.server.url
        else:
            raise ServerError("no instance runs")
        return await self.web.post(f"{address}/invocations", content=body, headers=passed_on(request))

    def mirror(self, wish: Wish, request: Request, body: bytes, event: str) -> None:
        """Let the shadow read it too: nobody waits for it, and nothing that happens to it is seen."""
        if len(self.mirrors) >= MIRRORS:
            self.left_out += 1
            return

        async def unseen() -> None:
            with suppress(Exception):
                await self.asked(wish, wish.shadow, request, body, event)

        task = asyncio.create_task(unseen())
        self.mirrors.add(task)
        task.add_done_callback(self.mirrors.discard)

    async def state(self, request: Request) -> Response:
        """How an endpoint is, beside AWS's API: whether its instances run, and with which weights."""
        name = request.path_params["endpoint"]
        if name not in self.wishes:
            return JSONResponse({"status": "not here", "plane": self.problem}, 404)
        wish = self.wishes[name]
        states = self.instances.states(wish)
        here = all(state["running"] or state["serverless"] for state in states.values())
        status = "InService" if here else "Creating"
        return JSONResponse(
            {
                "status": status if wish.variants else "Failed",
                "problem": wish.problem,
                "capture": self.not_captured,
                "config": wish.config,
                "weights": {variant.name: variant.weight for variant in wish.variants},
                "variants": states,
                "plane": self.problem,
            }
        )

    def app(self) -> Starlette:
        @asynccontextmanager
        async def lifespan(_):
            limits = httpx2.Limits(max_connections=256, max_keepalive_connections=64)
            async with httpx2.AsyncClient(trust_env=False, timeout=self.seconds, limits=limits) as self.web:
                await self.look()
                watching = asyncio.create_task(self.watch())
                yield
                watching.cancel()
                for task in tuple(self.mirrors):
                    task.cancel()
                await asyncio.to_thread(self.instances.stop)

        routes = [
            Route("/ping", lambda _: Response()),
            Route("/look", self.look_now, methods=["POST"]),
            Route("/endpoints/{endpoint}", self.state),
            Route("/endpoints/{endpoint}/invocations", self.invoke, methods=["POST"]),
        ]
        return Starlette(routes=routes, lifespan=lifespan)


def passed_on(request: Request) -> dict[str, str]:
    """The headers for the model. Raises InvocationError for one that is not ASCII."""
    headers = {name: request.headers[name] for name in PASSED_ON if name in request.headers}
    for name, value in headers.items():
        if not value.isascii():
            raise errors.not_ascii(name)
    return headers


async def limited(request: Request, most: int) -> bytes:
    """The body. Raises InvocationError for one that is too large, before all of it is here."""
    parts, size = [], 0
    async for part in request.stream():
        size += len(part)
        if size > most:
            raise errors.too_large(most)
        parts.append(part)
    return b"".join(parts)


def main(words: list[str] | None = None) -> None:
    """Answer until a signal comes."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--plane", required=True, help="the control plane's address")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--idle", type=float, default=300, help="seconds until a serverless process ends")
    parser.add_argument("--capture", type=Path, help="a folder for what was answered")
    args = parser.parse_args(words)
    control = client("sagemaker", args.plane)
    capture = Capture(args.capture) if args.capture else None
    plane = DataPlane(lambda before: wishes(control, before), VariantInstances(args.idle), capture)
    uvicorn.run(plane.app(), host="127.0.0.1", port=args.port, log_level="warning")


if __name__ == "__main__":
    sys.exit(main())
