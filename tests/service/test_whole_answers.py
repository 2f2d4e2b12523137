import asyncio

import pytest
import uvicorn

from fsdl_deploy.service.h11_connection import WholeH11
from fsdl_deploy.service.header_limit import BoundedHead
from fsdl_deploy.service.whole_answers import OnePiece


class Transport:
    """A transport that keeps what it is told, in order."""

    def __init__(self):
        self.calls, self.closing = [], False

    def write(self, data):
        self.calls.append(data)

    def close(self):
        self.calls.append("close")
        self.closing = True

    def is_closing(self):
        return self.closing

    def get_extra_info(self, name):
        return None


def test_writes_of_one_round_leave_together_and_close_comes_after_them():
    async def writing():
        transport = Transport()
        piece = OnePiece(transport, asyncio.get_running_loop())
        piece.write(b"head ")
        piece.write(bytearray(b"body"))
        assert transport.calls == []
        await asyncio.sleep(0)
        piece.write(b"more")
        piece.flush()
        piece.write(b"last")
        piece.close()
        piece.write(b"too late")
        await asyncio.sleep(0)
        assert piece.closing and piece.get_extra_info("peername") is None
        return transport.calls

    assert asyncio.run(writing()) == [b"head body", b"more", b"last", "close"]


async def answer(scope, receive, send):
    """Three parts, the second only after somebody else has had a turn."""
    await receive()
    headers = [(b"content-length", b"9")] if scope["path"] == "/known" else []
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b"one", "more_body": True})
    if scope["path"] == "/slow":
        await asyncio.sleep(0)
    await send({"type": "http.response.body", "body": b"twothr"})


@pytest.mark.parametrize("protocol", [BoundedHead, WholeH11])
@pytest.mark.parametrize(("path", "pieces"), [("/known", 1), ("/chunked", 1), ("/slow", 2)])
def test_an_answer_is_one_write_unless_its_parts_come_later(protocol, path, pieces):
    async def asking():
        config = uvicorn.Config(answer, http=protocol, lifespan="off")
        config.load()
        transport = Transport()
        transport.set_protocol = transport.pause_reading = transport.resume_reading = lambda *_: None
        connection = protocol(config, uvicorn.server.ServerState(), {}, asyncio.get_running_loop())
        connection.connection_made(transport)
        connection.data_received(f"GET {path} HTTP/1.1\r\nhost: a\r\n\r\n".encode())
        while connection.tasks:
            await asyncio.sleep(0)
        connection.timeout_keep_alive_task.cancel()
        return transport.calls

    calls = asyncio.run(asking())
    assert len(calls) == pieces and calls[0].startswith(b"HTTP/1.1 200 OK")
    assert b"one" in calls[0] and b"twothr" in calls[-1]
