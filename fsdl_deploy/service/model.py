"""The model behind the service: loaded in the background, run in worker threads, counted.

Knows one reader and how many requests it takes at a time; the counters are in ``metrics``. Knows nothing
about routes, see ``app``, or about bodies, see ``parsing``.
"""

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import Future

import numpy as np
from starlette.requests import ClientDisconnect
from starlette.types import Receive

from fsdl_deploy import picture
from fsdl_deploy.measuring.machine import whole_cores
from fsdl_deploy.reading import Reader, Reading
from fsdl_deploy.service.answer import Answer, readings_out
from fsdl_deploy.service.batching import Batcher, TooLate
from fsdl_deploy.service.metrics import Metrics
from fsdl_deploy.service.pipeline import Pipeline
from fsdl_deploy.service.refusal import AGAIN, Refusal

Parse = Callable[[], list[picture.Image]]
log = logging.getLogger(__name__)
PATIENCE = 20.0  # seconds in the queue: shorter than GRACE, so at the end all that wait are answered
SHORT = 0.05  # seconds in the queue, after which it matters whether the client is still there
MOST_PIXELS = 2**22  # of several requests in one call of the model; above, a call serves fewer


def _parsed(parse: Parse) -> Parse:
    """The pictures of one request, decoded now."""
    images = parse()
    return lambda: images


def _pixels(parsed: Parse) -> int:
    return sum(image.size for image in parsed())


class Model:
    """The reader behind the service: loaded in the background, read in threads, counted.

    Each of ``threads`` threads (by default one a core) takes up to ``max_batch`` requests at a time, for the
    first of which it waits no longer than ``delay`` seconds. It has ``cores`` for reading and decoding, by
    default all. Beside those ``max_waiting`` requests may wait; one more gets a 429, because a queue without
    an end answers everybody too late. Whoever waits longer than ``patience`` seconds gets a 503, and whoever
    leaves is forgotten: nobody would read their answers.
    """

    def __init__(
        self,
        reader: Reader | Callable[[], Reader],
        threads: int | None,
        max_waiting: int,
        max_batch: int = 1,
        delay: float = 0.0,
        patience: float = PATIENCE,
        cores: int | None = None,
    ):
        self._cores = cores or whole_cores()
        threads = threads or self._cores
        self._source, self.reader, self.failure, self.stopping = reader, None, None, False
        self._batcher = self._queue(threads, max_batch, delay, patience)
        self._places, self._taken = threads * max_batch + max_waiting, 0
        self.metrics = Metrics(in_progress=lambda: self._taken)

    def _queue(self, threads: int, max_batch: int, delay: float, patience: float) -> Batcher:
        """The requests that wait, and the threads that decode and read; as many may decode beside them."""
        workers = threads + min(threads, self._cores - threads)
        if workers <= threads:  # no core is left for more than reading
            return Batcher(self._read, max_batch, delay, workers=threads, patience=patience)
        return Pipeline(
            _parsed, self._read, max_batch, delay, runs=threads, workers=workers, weigh=_pixels,
            most=MOST_PIXELS, patience=patience,
        )  # fmt: skip

    async def load(self) -> None:
        """Load the reader and let it read a blank card, once; ``failure`` says what went wrong."""
        if self.reader or self.failure:
            return
        try:
            self.reader = await asyncio.to_thread(self._load)
            self.metrics.version.info({"version": self.reader.model_version})
            self.metrics.also(self.reader)
        except Exception as error:
            # These types carry a sentence for the user; anything else is a mistake to be found.
            if not isinstance(error, (OSError, ValueError, RuntimeError)):
                log.exception("the model did not load")
            self.failure = str(error) or type(error).__name__

    def _load(self) -> Reader:
        reader = self._source if hasattr(self._source, "read") else self._source()
        if len(reader.read([np.full((32, 96), 255, np.uint8)])) != 1:
            raise RuntimeError("the reader did not give one reading for one picture")
        return reader

    def loaded(self) -> Reader:
        """The reader, or Refusal 503 while there is none."""
        if self.failure:
            raise Refusal(503, "model", f"the model did not load: {self.failure}")
        if self.reader is None:
            raise Refusal(503, "model", "the model is still loading", AGAIN)
        return self.reader

    def ready(self) -> Reader:
        """The reader, or Refusal 503 while new requests should go elsewhere: what readiness means here."""
        reader = self.loaded()
        if self.stopping:
            raise Refusal(503, "service", "the service is stopping: send new requests elsewhere")
        return reader

    async def read(self, parse: Parse, receive: Receive | None = None) -> Answer:
        """Read the pictures that ``parse`` makes of a body, in a worker thread.

        ``receive`` is that of the request, whose body was read: it tells when the client leaves.
        Raises Refusal, and ClientDisconnect when the client left before its turn came.
        """
        self.loaded()
        if self._taken >= self._places:
            raise Refusal(429, "service", f"busy: {self._taken} requests wait, try again", AGAIN)
        turn, watch = self._batcher.submit(parse), None
        self._taken += 1

        def begin_to_watch() -> None:
            nonlocal watch
            watch = asyncio.create_task(self._take_back(turn, receive))

        # A task for each request would cost more than the few short waits that it could spare.
        timer = asyncio.get_running_loop().call_later(SHORT, begin_to_watch) if receive else None
        try:
            return await asyncio.wrap_future(turn)
        except TooLate as late:
            raise Refusal(503, "service", f"busy: {late}, try again", AGAIN) from None
        except asyncio.CancelledError:
            if watch and watch.done():
                raise ClientDisconnect() from None
            raise
        finally:
            self._taken -= 1
            for pending in filter(None, (timer, watch)):
                pending.cancel()

    async def _take_back(self, turn: Future, receive: Receive) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        turn.cancel()

    def _read(self, parses: list[Parse]) -> list[Answer | Exception]:
        """One Answer or Refusal for each request: parse them, then read their pictures together."""
        answers: list[Answer | Exception] = [None] * len(parses)
        group: dict[int, list[picture.Image]] = {}
        pixels = 0
        for place, parse in enumerate(parses):
            try:
                group[place] = parse()
            except Exception as error:  # a Refusal, or what nobody foresaw: it is the matter of one request
                answers[place] = error
                continue
            pixels += sum(image.size for image in group[place])
            if pixels > MOST_PIXELS:
                self._answer(group, answers)
                pixels = 0
        self._answer(group, answers)
        return answers

    def _answer(self, group: dict[int, list[picture.Image]], answers: list[Answer | Exception]) -> None:
        """Read the pictures of ``group`` in one call, put each request's Answer in its place, empty it.

        With several requests in it, it raises what the reader raises: the batcher then asks for each half.
        """
        images = [image for own in group.values() for image in own]
        if not group:
            return
        try:
            readings: list[Reading] = self.reader.read(images)
            if len(readings) != len(images):
                raise RuntimeError(f"{len(readings)} readings for {len(images)} pictures")
            written = iter(readings_out(readings))
        except Exception as error:
            if len(group) > 1:
                raise
            (place,) = group
            answers[place] = self._refusal(error)
            return group.clear()
        for place, own in group.items():
            answers[place] = Answer(
                model_version=self.reader.model_version, readings=[next(written) for _ in own]
            )
        self.metrics.count_readings(images, readings)
        group.clear()

    @staticmethod
    def _refusal(error: Exception) -> Refusal:
        if isinstance(error, picture.PictureError):
            return Refusal(422, "pictures", str(error))
        log.error("the reader failed", exc_info=error)
        return Refusal(500, "model", "the reader failed on these pictures; the service's log says why")

    def close(self) -> None:
        """Take no more requests; what waits is still answered, by threads that end with the process."""
        self._batcher.close(wait=False)
