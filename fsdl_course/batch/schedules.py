"""A job under a simulated clock: cards arrive, it runs every so many hours, and each card waits for that"""

import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

from fsdl_deploy.batch.job import Batch
from fsdl_deploy.batch.store import Store
from fsdl_deploy.reading import Reader

MONTH = "2026-10"


def waits(
    arrivals: Mapping[str, float], pictures: Mapping[str, Path], reader: Reader, every: int, hours: int
) -> list[float]:
    """Hours from a card's arrival to the run after which its reading can be looked up, for each that can.

    ``arrivals``: the hour at which each customer's card comes; ``pictures``: its file. The real job runs
    ``every`` so many hours, from that hour to ``hours``, on the cards that have come by then.
    """
    ages = []
    with tempfile.TemporaryDirectory() as folder:
        inbox, store = Path(folder) / "inbox", Store(Path(folder) / "readings.db")
        (inbox / MONTH).mkdir(parents=True)
        for hour in range(every, hours + 1, every):
            arrived = [customer for customer, sent in arrivals.items() if hour - every <= sent < hour]
            for customer in arrived:
                shutil.copy(pictures[customer], inbox / MONTH)
            with Batch(inbox, MONTH, store, reader) as batch:
                batch.score(progress=False)
            ages += [hour - arrivals[name] for name in arrived if store.prediction(name, MONTH)]
        store.close()
    return ages
