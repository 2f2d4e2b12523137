"""Breaks *lost*: it answers at once and writes the journal every two seconds, "for the disk's sake".

Nobody notices, until it is killed: the customers have an answer of which the service knows nothing.
"""

import threading
import time

import service


class LateJournal(service.Journal):
    """Keeps new cards in memory, and writes them down later."""

    def __init__(self, path):
        super().__init__(path)
        self.unwritten = {}
        threading.Thread(target=self.write, daemon=True).start()

    def find(self, card):
        return self.unwritten.get(card) or super().find(card)

    def add(self, card, digest, answer):
        return self.unwritten.setdefault(card, (digest, answer))

    def write(self):
        while True:
            time.sleep(2)
            for card, (digest, answer) in list(self.unwritten.items()):
                super().add(card, digest, answer)
                del self.unwritten[card]


service.Journal = LateJournal
service.main()
