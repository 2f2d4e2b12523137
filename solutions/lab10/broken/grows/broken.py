"""Breaks *memory*: it remembers every picture that it has read, "for a cache", and forgets none.

Each is kept as the network sees it, enlarged and in float32. The first hours look fine.
"""

import numpy as np
import service

cache = {}


class Remembering(service.Model):
    """Reads, and keeps what it has read."""

    def read(self, image):
        cache[len(cache)] = np.kron(image, np.ones((8, 8))).astype(np.float32)
        return super().read(image)


service.Model = Remembering
service.main()
