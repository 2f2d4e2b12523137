"""Memory that the C library keeps: large pieces go back to the system when they are free

After some large pieces glibc takes larger ones from its heap too, which shrinks only from its end; and each
thread has a heap of its own. A service that once had large pictures would keep their room. Knows glibc, and
does nothing elsewhere.

Source: mallopt(3), M_MMAP_THRESHOLD and M_ARENA_MAX.
"""

import ctypes
import os

LARGE = 2**20
"""Bytes: such a piece is asked of the system itself, and given back to it at once."""
HEAPS = 2
_TRIM, _MMAP, _ARENAS = -1, -3, -8  # glibc's numbers of these settings


def keep_little() -> bool:
    """Set it for this process; False where there is no such setting, or somebody has made one."""
    if any(name.startswith("MALLOC_") for name in os.environ):
        return False
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError, TypeError):  # musl, macOS, Windows
        return False
    return all([mallopt(_MMAP, LARGE), mallopt(_TRIM, LARGE), mallopt(_ARENAS, HEAPS)])
