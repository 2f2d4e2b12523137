"""The month's batch as a Metaflow flow: find the cards, score each chunk, check freshness.

``python flow.py run --inbox INBOX --month MONTH --store STORE`` scores a month once; ``resume`` goes on with
a run that failed. Each task is a process of its own, and what it leaves in ``self`` is kept for good. Every
one of them reads this file, and so do the processes that start tasks and make cards: so a step imports what
it needs itself.
"""

import os
from datetime import UTC, datetime, timedelta

from metaflow import FlowSpec, Parameter, card, catch, current, retry, schedule, step
from metaflow.cards import Markdown, Table


def open_batch(inbox, month, store, **options):
    from fsdl_deploy.batch.job import Batch
    from fsdl_deploy.batch.store import Store
    from fsdl_deploy.reader import open_reader

    return Batch(inbox, month, Store(store), open_reader(), **options)


@schedule(cron="0 2 * * ? *", timezone="Etc/UTC")  # for the scheduler that the flow is deployed to
class ReadCards(FlowSpec):
    """New cards → chunks → score each → is the month fresh?"""

    inbox = Parameter("inbox", default=os.environ.get("INBOX"), required=True)
    store = Parameter("store", default=os.environ.get("STORE"), required=True)
    month = Parameter("month", default=os.environ.get("MONTH", ""), help="YYYY-MM; default: yesterday's")
    chunk = Parameter("chunk", default=int(os.environ.get("CHUNK", 500)), help="cards stored together")

    @retry(times=2, minutes_between_retries=1)
    @step
    def start(self):
        """Record a run, and list the month's cards in chunks."""
        self.cards_of = self.month or f"{datetime.now(UTC) - timedelta(days=1):%Y-%m}"
        with open_batch(self.inbox, self.cards_of, self.store, chunk=self.chunk) as batch:
            self.record = batch.begin()
            self.chunks = [list(chunk.pictures) for chunk in batch.chunks()]
        self.next(self.score, foreach="chunks")

    @catch(var="failure")
    @retry(times=2, minutes_between_retries=1)
    @step
    def score(self):
        """Read and store what is new in one chunk; harmless to repeat."""
        from dataclasses import asdict

        from fsdl_deploy.batch.inbox import Chunk

        with open_batch(self.inbox, self.cards_of, self.store, workers=1) as batch:
            self.scored = asdict(batch.score_chunk(Chunk(tuple(self.input)), self.record))
        self.next(self.check)

    @card(type="blank")
    @step
    def check(self, inputs):
        """Close the run with what went wrong, if anything did, and show it on a card."""
        from fsdl_deploy.batch.freshness import freshness
        from fsdl_deploy.batch.store import Store

        self.merge_artifacts(inputs, include=["record", "cards_of"])
        counts = "{read} read, {set_aside} set aside, {already} done before".format
        rows = [
            [task.input[0], task.failure.exception if task.failure else counts(**task.scored)]
            for task in inputs
        ]
        failed = [task.failure.exception for task in inputs if task.failure]
        store = Store(self.store)
        store.finish(
            self.record, f"{len(failed)} of {len(rows)} chunks failed: {failed[0]}" if failed else None
        )
        verdict = freshness(store)
        self.fresh, self.sentence = verdict.fresh, verdict.sentence
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
