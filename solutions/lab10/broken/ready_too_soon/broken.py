"""Breaks *start*: it says that it is ready as soon as its port is open. The model comes three seconds later.

A balancer believes it, and sends the first customers into a service that cannot read.
"""

import time

import service


class SlowModel(service.Model):
    """A model that takes a while: a larger file, a slow disk."""

    def load(self, version):
        if self.session is None:
            time.sleep(3)
        super().load(version)


class Boastful(service.Handler):
    """Says yes to whoever asks."""

    def look(self):
        return (200, {"version": "any"}) if self.path == "/readyz" else super().look()


service.Model, service.Handler = SlowModel, Boastful
service.main()
