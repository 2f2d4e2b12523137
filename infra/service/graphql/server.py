"""Stored readings, and the reader, over GraphQL.

    python server.py --store readings.db --port 8002

A client sends one query to ``/graphql`` that names the fields it wants, of things that hang together: a
customer, the customer's readings. The types below are the schema. A query may ask the model for at most
``PICTURES`` pictures; nothing in the schema can be nested without end. What is no query, too long or too much
at a time ends with a status of HTTP; every other answer is a 200.
"""

import argparse
import base64
import binascii
from contextlib import asynccontextmanager

import strawberry
import uvicorn
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from strawberry.asgi import GraphQL
from strawberry.extensions import MaxAliasesLimiter, MaxTokensLimiter

from fsdl_deploy.batch.store import Store, now
from fsdl_deploy.picture import PictureError, decode
from fsdl_deploy.reader import OnnxReader
from fsdl_deploy.service.body_limit import BodyLimit
from fsdl_deploy.service.parsing import json_object
from fsdl_deploy.service.refusal import Refusal

PICTURES = 8
TOKENS = 1000  # words and signs of a query: to check a longer one takes seconds, in which nobody is answered
VALUES = 10_000  # in a body of JSON


@strawberry.type
class Reading:
    """What the model read on a card; ``age``: seconds since then."""

    month: str | None
    digits: str
    confidence: float
    model_version: str
    age: float


@strawberry.type
class Customer:
    name: str

    @strawberry.field
    async def readings(self, info: strawberry.Info, months: list[str]) -> list[Reading]:
        """The stored readings of these months; a month without one is left out."""
        rows = [await run_in_threadpool(info.context["store"].prediction, self.name, m) for m in months[:24]]
        return [
            Reading(
                month=row["month"], digits=row["digits"], confidence=row["confidence"],
                model_version=row["model_version"], age=(now() - row["time"]).total_seconds(),
            )
            for row in rows if row
        ]  # fmt: skip


@strawberry.type
class Query:
    @strawberry.field
    def customer(self, name: str) -> Customer:
        """A customer by name."""
        return Customer(name=name)

    @strawberry.field
    async def read(self, info: strawberry.Info, picture: str) -> Reading:
        """Ask the model: ``picture`` is a file (PNG, JPEG, …) in base64, because GraphQL speaks JSON."""
        try:
            image = decode(base64.b64decode(picture, validate=True))
        except (PictureError, binascii.Error) as error:
            raise ValueError(f"picture: {error}") from None
        (reading,) = await run_in_threadpool(info.context["reader"].read, [image])
        return Reading(
            month=None, digits=reading.digits, confidence=reading.confidence,
            model_version=reading.model_version, age=0.0,
        )  # fmt: skip


class Endpoint(GraphQL):
    """The schema over HTTP; at most ``queries`` at a time, as a queue without an end answers all too late."""

    def __init__(self, schema: strawberry.Schema, queries: int):
        super().__init__(schema, graphql_ide=None)
        self.places = queries

    async def get_context(self, request, response=None) -> dict:
        return {"store": request.app.state.store, "reader": request.app.state.reader}

    def decode_json(self, data: bytes) -> dict:
        return json_object(data, VALUES, '{"query": "…", "variables": {…}}', PICTURES, "variables")

    async def execute_operation(self, **what):
        if not self.places:
            raise Refusal(429, "service", "busy: too many queries wait, try again", {"Retry-After": "1"})
        self.places -= 1
        try:
            return await super().execute_operation(**what)
        finally:
            self.places += 1


async def refuse(_, error: Refusal) -> JSONResponse:
    body = {"errors": [{"message": f"{error.field}: {error.problem}"}]}
    return JSONResponse(body, error.status, error.headers)


def create_app(store: str, queries: int) -> Starlette:
    """The server for the table behind ``store``, which answers ``queries`` at a time."""

    @asynccontextmanager
    async def lifespan(app):
        app.state.store, app.state.reader = Store(store, read_only=True), OnnxReader()
        yield
        app.state.store.close()

    limits = [MaxAliasesLimiter(max_alias_count=PICTURES), MaxTokensLimiter(max_token_count=TOKENS)]
    routes = [
        Route("/graphql", Endpoint(strawberry.Schema(Query, extensions=limits), queries), methods=["POST"]),
        Route("/healthz", lambda _: Response()),
    ]
    return Starlette(
        routes=routes,
        lifespan=lifespan,
        middleware=[Middleware(BodyLimit)],
        exception_handlers={Refusal: refuse},
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--store", default="readings.db")
    parser.add_argument("--port", type=int, default=8002)
    parser.add_argument("--max-queries", type=int, default=64, help="at a time; more get a 429 (default: 64)")
    args = parser.parse_args()
    uvicorn.run(
        create_app(args.store, args.max_queries), host="127.0.0.1", port=args.port, log_level="warning"
    )
