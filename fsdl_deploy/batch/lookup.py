"""A web endpoint that answers from the table: the prediction was made last night.

``GET /readings/MONTH/CUSTOMER`` gives the stored reading and, in the ``Age`` header (RFC 9111), how many
seconds old it is. No model, no picture: this is why batch prediction answers fast. Knows nothing of
how the rows came there.
"""

from contextlib import asynccontextmanager

from fastapi import Request
from fastapi.responses import JSONResponse
from fastapi_offline import FastAPIOffline
from pydantic import BaseModel

from fsdl_deploy.batch.freshness import staleness
from fsdl_deploy.batch.store import Store, StoreError
from fsdl_deploy.customers import months_since_start
from fsdl_deploy.service.errors import Error


class Stored(BaseModel):
    """One stored reading; ``age`` in seconds since it was made."""

    customer: str
    month: str
    digits: str
    confidence: float
    model_version: str
    age: float


def create_app(store: Store):
    """The endpoint for ``store``."""

    @asynccontextmanager
    async def lifespan(app):
        yield
        store.close()

    app = FastAPIOffline(title="Stored readings", lifespan=lifespan)

    @app.exception_handler(StoreError)
    def unavailable(_: Request, error: StoreError) -> JSONResponse:
        return JSONResponse({"error": {"field": "", "problem": str(error)}}, 503)

    @app.get("/healthz", description="The process lives.")
    async def healthz() -> dict:
        return {"status": "ok"}

    @app.get(
        "/readings/{month}/{customer}",
        response_model=Stored,
        responses={404: {"model": Error}, 422: {"model": Error}, 503: {"model": Error}},
        description="The stored reading of a customer's card of a month (YYYY-MM).",
    )
    def reading(month: str, customer: str):  # not async: the database may make it wait, in a thread
        try:
            months_since_start(month)
        except ValueError as error:
            return refused(422, "month", str(error))
        row = store.prediction(customer, month)
        if row is None:
            aside = store.aside(customer, month, limit=1)
            problem = f"the card was set aside: {aside[0]['reason']}" if aside else "there is no reading yet"
            return refused(404, "customer", f"{customer}, {month}: {problem}")
        age = staleness(row["time"])
        body = Stored(age=round(age, 3), **{name: row[name] for name in Stored.model_fields if name != "age"})
        return JSONResponse(body.model_dump(), headers={"Age": str(int(age))})

    return app


def refused(status: int, field: str, problem: str, headers: dict | None = None) -> JSONResponse:
    """The answer to a request that is wrong in ``field``: it says what the problem is."""
    return JSONResponse({"error": {"field": field, "problem": problem}}, status, headers)


def add_arguments(parser) -> None:
    parser.add_argument("--store", default="readings.db", help="SQLite file or postgresql:// URL")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
    parser.add_argument("--port", type=int, default=8001, help="port to listen on; 0: any free one")


def main(args) -> int:
    import uvicorn

    uvicorn.run(
        create_app(Store(args.store, read_only=True)), host=args.host, port=args.port, log_level="warning"
    )
    return 0
