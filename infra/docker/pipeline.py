"""Two of the lecture's four containers, the web server and the worker; the others: a database, a job queue.

The web server puts a card into the inbox and its name into the queue, and answers from the table. The worker
takes a name and runs the steps of the nightly batch job on that one card. So what the queue should lose, the
job finds in the inbox by night, and nothing is read twice.

    python pipeline.py web | worker
"""

import os
import re
import sys
from functools import cache
from pathlib import Path

from fastapi import Request
from fastapi.concurrency import run_in_threadpool

from fsdl_deploy.batch import lookup
from fsdl_deploy.batch.inbox import Chunk, place_of
from fsdl_deploy.batch.job import Batch
from fsdl_deploy.batch.lookup import refused
from fsdl_deploy.batch.store import Store
from fsdl_deploy.customers import months_since_start
from fsdl_deploy.picture import MAX_BYTES, PictureError, decode

MAX_WAITING = 10_000  # jobs; more are refused, so that nobody waits for a night
TIMEOUT = 60  # seconds that a job may take


def web(store: Store, queue, inbox: str):
    """The web server: ``PUT /cards/MONTH/CUSTOMER`` takes a card, ``GET /readings/MONTH/CUSTOMER`` answers.

    202: the card waits to be read. 409: another card of this customer and month is there. 413, 422: no card.
    429: too many wait. ``queue`` is an ``rq.Queue``.
    """
    app = lookup.create_app(store)

    @app.put("/cards/{month}/{customer}", status_code=202)
    async def card(month: str, customer: str, request: Request):
        try:
            months_since_start(month)
        except ValueError as error:
            return refused(422, "month", str(error))
        if not re.fullmatch(r"C\d{7}", customer):
            return refused(422, "customer", f"a customer is C and seven digits, not {customer[:40]!r}")
        data = b""
        async for part in request.stream():
            data += part
            if len(data) > MAX_BYTES:
                return refused(413, "picture", f"the picture has more than {MAX_BYTES:,} bytes")
        return await run_in_threadpool(accept, month, customer, data)

    def accept(month: str, customer: str, data: bytes):
        try:
            decode(data)
        except PictureError as error:
            return refused(422, "picture", str(error))
        if queue.count >= MAX_WAITING:
            return refused(429, "", f"{MAX_WAITING:,} cards wait", {"Retry-After": "60"})
        name = place_of(customer, ".card")
        target = Path(inbox, month, name)
        if not put(target, data):
            return refused(409, "customer", f"there is another card of {customer} for {month}")
        queue.enqueue("pipeline.read_card", month, name, job_timeout=TIMEOUT, result_ttl=0)
        return {"customer": customer, "month": month, "status": "waits to be read"}

    return app


def put(target: Path, data: bytes) -> bool:
    """Write a card whole, or leave what is there; True if ``target`` now holds these bytes."""
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f".{target.name}.{os.urandom(4).hex()}")
    part.write_bytes(data)
    try:
        os.link(part, target)  # fails where there is one, also if that came a moment ago
        return True
    except FileExistsError:
        return target.read_bytes() == data
    finally:
        part.unlink()


@cache
def tools():
    """The reader and the store of this worker, loaded once."""
    from fsdl_deploy.reader import OnnxReader

    return OnnxReader(), Store(os.environ["FSDL_STORE"])


def read_card(month: str, picture: str) -> None:
    """One job: read one card of the inbox and store it, as the nightly job does with 500."""
    reader, store = tools()
    with Batch(os.environ["FSDL_INBOX"], month, store, reader, workers=1) as batch:
        run = batch.begin(cards=1)
        batch.score_chunk(Chunk((picture,)), run)
        store.finish(run)


def main(role: str) -> None:
    import redis
    import rq

    connection = redis.Redis.from_url(os.environ["FSDL_QUEUE"])
    queue = rq.Queue("cards", connection=connection)
    if role == "worker":
        tools()
        Path("/tmp/ready").touch()  # compose looks for it
        rq.SimpleWorker([queue], connection=connection).work(logging_level="WARNING")
    else:
        import uvicorn

        app = web(Store(os.environ["FSDL_STORE"]), queue, os.environ["FSDL_INBOX"])
        uvicorn.run(app, host="0.0.0.0", port=8000, log_level="warning")


if __name__ == "__main__":
    main(sys.argv[1])
