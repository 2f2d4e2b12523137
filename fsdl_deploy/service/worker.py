"""One of several processes on one port: the service, which a master started and starts again

``python -m fsdl_deploy.service.worker OPTIONS``, with the options of ``fsdl-deploy serve`` as JSON, and the
numbers of two files that it was given: the socket on which all listen, and the channel to its master. It
listens once its model is loaded, so a worker that starts again costs nobody an answer. Knows the service and
its master; knows nothing of the other workers.
"""

import argparse
import asyncio
import json
import signal
import socket
import sys
from collections.abc import Callable

import uvicorn

from fsdl_deploy.reading import Reader
from fsdl_deploy.service import command
from fsdl_deploy.service.channel import Channel
from fsdl_deploy.service.model import Model
from fsdl_deploy.service.process import Draining, serve_on

ANSWER = 2.0
"""Seconds in which the master says what all have counted; else the page is that of this worker."""


class OneAtATime(socket.socket):
    """A listening socket that gives asyncio one connection in each round of its loop.

    Otherwise the first worker to wake up takes all that have come, and the others have nothing to do.
    """

    _took = False

    def accept(self):
        self._took = not self._took
        if not self._took:
            raise BlockingIOError
        try:
            return super().accept()
        except OSError:
            self._took = False
            raise


class Worker(Draining):
    """A Draining server with a master: ``end`` ends all workers, SIGTERM only this one.

    Ctrl-C reaches every process of a terminal; it is the master's business. When the master is gone, this
    process ends as if it had been asked to.
    """

    def __init__(self, config: uvicorn.Config, model: Model, seconds: float, channel: socket.socket):
        super().__init__(config, model, seconds)
        self._end, self._all_end, self._waiting = channel, False, []
        self.model.metrics.of_service = self._everybodys

    async def startup(self, sockets=None) -> None:
        self.channel = await Channel.over(self._end)
        self._listening = asyncio.create_task(self._listen_to_master())
        await self.model.load()
        if self.model.failure:
            self.channel.say(failed=self.model.failure)
            await self.channel.flushed()
            self.should_exit = True
            return
        await super().startup(sockets)
        self.channel.say(ready=True)

    async def shutdown(self, sockets=None) -> None:
        await super().shutdown(sockets)
        self.channel.say(page=self.model.metrics.page().decode())  # else its last counts would be lost
        await self.channel.flushed()

    @property
    def others_listen(self) -> bool:
        return not self._all_end

    def handle_exit(self, sig, frame) -> None:
        if sig == signal.SIGTERM and not self._all_end:  # a group of processes gets it beside its master
            super().handle_exit(sig, frame)

    async def _listen_to_master(self) -> None:
        async for message in self.channel.heard():
            if "end" in message:
                self._end_all(message["end"], message.get("further", False))
            elif "page" in message:
                self.channel.say(page=self.model.metrics.page().decode())
            elif "whole" in message:
                while self._waiting:
                    if not (future := self._waiting.pop()).done():
                        future.set_result(message["whole"].encode())
        self._end_all(signal.SIGTERM)

    def _end_all(self, number: int, further: bool = False) -> None:
        self._all_end = True
        if further or not self.model.stopping:
            super().handle_exit(number, None)

    async def _everybodys(self) -> bytes:
        future = asyncio.get_running_loop().create_future()
        self._waiting.append(future)
        self.channel.say(want=True, page=self.model.metrics.page().decode())
        try:
            return await asyncio.wait_for(future, ANSWER)
        except TimeoutError:
            return self.model.metrics.page()


def serve(reader: Reader | Callable[[], Reader], listener: int, channel: int, **settings) -> int:
    """Serve until the master, or SIGTERM, ends it; ``settings`` are those of ``process.serve_on``."""
    plain = socket.socket(fileno=listener)  # which asks the system what kind it is
    shared = OneAtATime(plain.family, plain.type, socket.IPPROTO_TCP, fileno=plain.detach())
    end = socket.socket(fileno=channel)

    def server(config: uvicorn.Config, model: Model, seconds: float) -> Worker:
        return Worker(config, model, seconds, end)

    try:
        return serve_on(shared, reader, server, **settings)
    except RuntimeError:
        return 1  # the master says it


def main() -> int:
    """Run one worker of ``fsdl-deploy serve``."""
    args = argparse.Namespace(**json.loads(sys.argv[1]))
    with command.settings(args) as settings:
        return serve(command.loader(args), int(sys.argv[2]), int(sys.argv[3]), **settings)


if __name__ == "__main__":
    sys.exit(main())
