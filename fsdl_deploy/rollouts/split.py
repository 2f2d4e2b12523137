"""Which version answers whom: a customer's name is hashed, and the candidate gets a share of the hashes

The hash is the one of nginx's ``split_clients``, so nginx, Envoy and this module send a customer to the same
version. Whoever is among the first 5 % is among the first 25 % too. Knows nothing of proxies.
"""

from fractions import Fraction

STABLE, CANDIDATE = "stable", "candidate"
BY = ("customer", "request")
_MASK, _PRIME = 0xFFFFFFFF, 0x5BD1E995


def murmur2(text: str) -> int:
    """MurmurHash2 of a text's UTF-8, seed 0, 32 bits (A. Appleby 2008): nginx hashes its keys with it."""
    data = text.encode()
    value, whole = len(data), len(data) // 4 * 4
    for place in range(0, whole, 4):
        part = int.from_bytes(data[place : place + 4], "little") * _PRIME & _MASK
        part = (part ^ part >> 24) * _PRIME & _MASK
        value = value * _PRIME & _MASK ^ part
    if rest := data[whole:]:
        value = (value ^ int.from_bytes(rest, "little")) * _PRIME & _MASK
    value = (value ^ value >> 13) * _PRIME & _MASK
    return value ^ value >> 15


def bucket(key: str) -> int:
    """The bucket of a customer, or of a request's id: a whole number from 0 to 9999."""
    return murmur2(key) * 10_000 // 2**32


def arm(key: str, share: float) -> str:
    """Who answers this customer or request where the candidate gets ``share`` (0 to 1) of all."""
    return CANDIDATE if bucket(key) < buckets(share) else STABLE


def buckets(share: float) -> int:
    """How many of the 10,000 buckets a share has. Raises ValueError for what is no share, or too fine."""
    if isinstance(share, bool) or not isinstance(share, int | float) or not 0 <= share <= 1:
        raise ValueError(f"a share of traffic is a number from 0 to 1, not {share!r}")
    count = Fraction(str(share)) * 10_000
    if count.denominator > 1:
        raise ValueError(f"a share is a whole number of hundredths of a percent; {share!r} is finer")
    return int(count)
