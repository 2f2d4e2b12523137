"""Stored readings, and the reader, over GraphQL.

    python server.py --store readings.db --port 8002

A client sends one query to ``/graphql`` that names the fields it wants, of things that hang together: a
customer, the customer's readings. The types below are the schema. A query may ask the model for at most
``PICTURES`` pictures; nothing in the schema can be nested without end.
"""

import argparse
import base64
import binascii
from contextlib import asynccontextmanager

import strawberry
import uvicorn
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response
from starlette.routing import Route
from strawberry.asgi import GraphQL
from strawberry.extensions import MaxAliasesLimiter

from fsdl_deploy.picture import PictureError, decode
from fsdl_deploy.reader import OnnxReader
from fsdl_deploy.store import Store, now

PICTURES = 8


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
    async def get_context(self, request, response=None) -> dict:
        return {"store": request.app.state.store, "reader": request.app.state.reader}


def create_app(store: str) -> Starlette:
    """The server for the table behind ``store``."""

    @asynccontextmanager
    async def lifespan(app):
        app.state.store, app.state.reader = Store(store), OnnxReader()
        yield
        app.state.store.close()

    schema = strawberry.Schema(Query, extensions=[MaxAliasesLimiter(max_alias_count=PICTURES)])
    routes = [
        Route("/graphql", Endpoint(schema, graphql_ide=None), methods=["POST"]),
        Route("/healthz", lambda _: Response()),
    ]
    return Starlette(routes=routes, lifespan=lifespan)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--store", default="readings.db")
    parser.add_argument("--port", type=int, default=8002)
    args = parser.parse_args()
    uvicorn.run(create_app(args.store), host="127.0.0.1", port=args.port, log_level="warning")
