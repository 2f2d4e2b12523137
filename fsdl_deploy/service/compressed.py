"""A body that is compressed, unpacked piece by piece: what a few bytes unpack to has the limit of any body

Knows gzip and deflate as HTTP means them (RFC 9110, section 8.4.1); knows nothing about requests in progress.
"""

import zlib
from collections.abc import Iterator, Sequence

from fsdl_deploy.service.refusal import Refusal

PIECE = 2**17
"""Bytes that are unpacked in one go: in between, everybody else has a turn."""
MOST_MEMBERS = 16
"""Files of gzip in a row, which together are one: each takes some memory and time, however small it is."""
_WINDOW = {"gzip": 31, "x-gzip": 31, "deflate": 15}  # for zlib: which format, with the largest window


def coding(values: Sequence[str]) -> str | None:
    """What ``Content-Encoding`` names, all its fields together; None for a body as it is.

    Raises Refusal 415 for what is not unpacked here.
    """
    names = [name.strip().lower() for value in values for name in value.split(",")]
    names = [name for name in names if name not in ("", "identity")]
    if not names:
        return None
    if len(names) > 1 or names[0] not in _WINDOW:
        problem = "send the body as it is, or compressed once, with gzip or deflate"
        raise Refusal(415, "Content-Encoding", problem, {"Accept-Encoding": "gzip, deflate"})
    return names[0]


class Unpacking:
    """One body on its way: ``unpacked`` for each piece that arrives, ``end`` behind the last."""

    def __init__(self, name: str):
        self._name, self._members = name, 0
        self._open = zlib.decompressobj(_WINDOW[name])
        self._begun = False

    def unpacked(self, data: bytes) -> Iterator[bytes]:
        """What ``data`` unpacks to, at most PIECE bytes at a time. Raises Refusal 400 if it is broken."""
        while data:
            if self._open.eof:
                self._next_member()
            try:
                yield self._open.decompress(data, PIECE)
            except zlib.error as error:
                if self._name == "deflate" and not self._begun:  # some clients leave the format's frame away
                    self._begun, self._open = True, zlib.decompressobj(-15)
                    continue
                raise self._broken(str(error)) from None
            self._begun = True
            data = self._open.unused_data if self._open.eof else self._open.unconsumed_tail

    def end(self) -> None:
        """Raise Refusal 400 if the body is not whole."""
        if not self._open.eof:
            raise self._broken("it is cut off")

    def _next_member(self) -> None:
        self._members += 1
        if self._name == "deflate" or self._members >= MOST_MEMBERS:
            raise self._broken("there is more behind its end")
        self._open = zlib.decompressobj(_WINDOW[self._name])

    def _broken(self, problem: str) -> Refusal:
        return Refusal(400, "body", f"the compressed body is broken: {problem}")
