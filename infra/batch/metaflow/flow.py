"""The month's batch as a Metaflow flow: find the cards, score each chunk, check freshness.

``python flow.py run --inbox INBOX --month MONTH --store STORE`` scores a month once; ``resume`` goes on with
a run that failed. Each task is a process of its own, and what it leaves in ``self`` is kept for good.
"""

import os
from dataclasses import asdict
from datetime import UTC, datetime, timedelta

from metaflow import FlowSpec, Parameter, card, catch, current, retry, schedule, step
from metaflow.cards import Markdown, Table

from fsdl_deploy.batch import Batch
from fsdl_deploy.freshness import freshness
from fsdl_deploy.inbox import CHUNK, Chunk
from fsdl_deploy.reader import open_reader
from fsdl_deploy.store import Store


@schedule(cron="0 2 * * ? *", timezone="Etc/UTC")  # for the scheduler that the flow is deployed to
class ReadCards(FlowSpec):
    """New cards → chunks → score each → is the month fresh?"""

    inbox = Parameter("inbox", default=os.environ.get("INBOX"), required=True)
    store = Parameter("store", default=os.environ.get("STORE"), required=True)
    month = Parameter("month", default=os.environ.get("MONTH", ""), help="YYYY-MM; default: yesterday's")
    chunk = Parameter("chunk", default=int(os.environ.get("CHUNK", CHUNK)), help="cards stored together")

    @retry(times=2, minutes_between_retries=1)
    @step
    def start(self):
        """Record a run, and list the month's cards in chunks."""
        self.cards_of = self.month or f"{datetime.now(UTC) - timedelta(days=1):%Y-%m}"
        with Batch(self.inbox, self.cards_of, Store(self.store), open_reader(), self.chunk) as batch:
            self.record = batch.begin()
            self.chunks = [list(one.pictures) for one in batch.chunks()]
        self.next(self.score, foreach="chunks")

    @catch(var="failure")
    @retry(times=2, minutes_between_retries=1)
    @step
    def score(self):
        """Read and store what is new in one chunk; harmless to repeat."""
        with Batch(self.inbox, self.cards_of, Store(self.store), open_reader(), workers=1) as batch:
            self.scored = asdict(batch.score_chunk(Chunk(tuple(self.input)), self.record))
        self.next(self.check)

    @card(type="blank")
    @step
    def check(self, inputs):
        """Close the run with what went wrong, if anything did, and show it on a card."""
        self.merge_artifacts(inputs, include=["record", "cards_of"])
        said = "{read} read, {set_aside} set aside, {already} done before".format
        rows = [
            [one.input[0], one.failure.exception if one.failure else said(**one.scored)] for one in inputs
        ]
        failed = [one.failure.exception for one in inputs if one.failure]
        store = Store(self.store)
        store.finish(
            self.record, f"{len(failed)} of {len(rows)} chunks failed: {failed[0]}" if failed else None
        )
        found = freshness(store)
        self.fresh, self.sentence = found.fresh, found.sentence
        current.card.append(Markdown(f"# Cards of {self.cards_of}\n{self.sentence}"))
        current.card.append(Table(rows, headers=["a chunk's first card", "what came of it"]))
        self.next(self.end)

    @step
    def end(self):
        """Fail unless the month is fresh."""
        if not self.fresh:
            raise RuntimeError(self.sentence)
        print(self.sentence)


if __name__ == "__main__":
    ReadCards()
