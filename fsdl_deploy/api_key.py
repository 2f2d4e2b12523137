"""What a service's API key may look like, and whether one was sent: over REST and over gRPC."""

import secrets


def checked(key: str | None, where: str) -> str | None:
    """``key``, if it can travel in a header; None for none. ``where``: what the user calls it.

    Raises ValueError: what a header carries of other characters is nowhere the same, so none would match.
    """
    if key and not (key.isascii() and key.isprintable() and key == key.strip()):
        raise ValueError(
            f"{where} can never match: a key has the letters A to Z, digits and signs of ASCII only, "
            "without spaces at its ends"
        )
    return key or None


def allows(key: str, authorization: str) -> bool:
    """Whether the header ``authorization`` is ``Bearer KEY`` with that key."""
    kind, _, given = authorization.partition(" ")
    # The time of the comparison must not tell how much of a guess is right.
    right = secrets.compare_digest(given.strip().encode(), key.encode())
    return kind.lower() == "bearer" and right
