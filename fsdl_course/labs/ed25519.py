"""Ed25519 signatures in plain Python, after RFC 8032: for a lab's made-up keys, not for a secret of yours

A signature proves that the owner of a key's secret half has signed these very bytes. The public half is
enough to check it, so a device that checks cannot sign. (With an HMAC it could: both sides hold the same
secret, and whoever opens one device can update all of them.) Checking needs no secret, so plain Python is
safe for it; the time that signing takes depends on the secret. Runs inside the sandbox, too: standard library
only.

Source: RFC 8032, sections 5.1 and 6.
"""

import hashlib
import re

PRIME = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493  # of the base point
CURVE = -121665 * pow(121666, -1, PRIME) % PRIME
HALF_TURN = pow(2, (PRIME - 1) // 4, PRIME)  # a square root of -1
KEY, SIGNATURE = re.compile("[0-9a-f]{64}"), re.compile("[0-9a-f]{128}")

Point = tuple[int, int, int, int]
"""Extended coordinates (X, Y, Z, T): x = X/Z, y = Y/Z, x·y = T/Z."""


def signed_by(key: str, signature: str, message: bytes) -> bool:
    """Whether the secret half of ``key`` has signed exactly ``message``.

    A key is 32 bytes and a signature 64, as lower-case hexadecimal text; anything else is no signature. Never
    raises for a text there; TypeError if the message is none of bytes.
    """
    if not isinstance(message, bytes):
        raise TypeError(
            f"signed_by: the message is bytes, such as text.encode(), not {type(message).__name__}"
        )
    if not (KEY.fullmatch(key) and SIGNATURE.fullmatch(signature)):
        return False
    owner, nonce = _point(bytes.fromhex(key)), _point(bytes.fromhex(signature[:64]))
    factor = int.from_bytes(bytes.fromhex(signature[64:]), "little")
    if owner is None or nonce is None or factor >= ORDER:  # else each signature would have a twin
        return False
    challenge = _number(bytes.fromhex(signature[:64] + key) + message) % ORDER
    return _same(_times(factor, BASE), _plus(nonce, _times(challenge, owner)))


def public_key(secret: bytes) -> str:
    """The public half of a key, of 32 secret bytes."""
    return _bytes(_times(_halves(secret)[0], BASE)).hex()


def sign(secret: bytes, message: bytes) -> str:
    """The signature of ``message``; the same each time."""
    scalar, prefix = _halves(secret)
    number = _number(prefix + message) % ORDER
    nonce = _bytes(_times(number, BASE))
    challenge = _number(nonce + bytes.fromhex(public_key(secret)) + message) % ORDER
    return (nonce + ((number + challenge * scalar) % ORDER).to_bytes(32, "little")).hex()


def _number(text: bytes) -> int:
    return int.from_bytes(hashlib.sha512(text).digest(), "little")


def _halves(secret: bytes) -> tuple[int, bytes]:
    if len(secret) != 32:
        raise ValueError(f"a secret has 32 bytes, not {len(secret)}")
    digest = hashlib.sha512(secret).digest()
    scalar = int.from_bytes(digest[:32], "little") & ((1 << 254) - 8) | (1 << 254)
    return scalar, digest[32:]


def _plus(first: Point, second: Point) -> Point:
    a = (first[1] - first[0]) * (second[1] - second[0]) % PRIME
    b = (first[1] + first[0]) * (second[1] + second[0]) % PRIME
    c = 2 * first[3] * second[3] * CURVE % PRIME
    d = 2 * first[2] * second[2] % PRIME
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % PRIME, g * h % PRIME, f * g % PRIME, e * h % PRIME


def _times(factor: int, point: Point) -> Point:
    total = (0, 1, 1, 0)
    while factor:
        if factor & 1:
            total = _plus(total, point)
        point, factor = _plus(point, point), factor >> 1
    return total


def _same(first: Point, second: Point) -> bool:
    return all((first[axis] * second[2] - second[axis] * first[2]) % PRIME == 0 for axis in (0, 1))


def _bytes(point: Point) -> bytes:
    inverse = pow(point[2], -1, PRIME)
    x, y = point[0] * inverse % PRIME, point[1] * inverse % PRIME
    return (y | (x & 1) << 255).to_bytes(32, "little")


def _point(text: bytes) -> Point | None:
    """The point of 32 bytes: its y, and in the last bit whether x is odd. None if there is none."""
    number = int.from_bytes(text, "little")
    y, odd = number % 2**255, number >> 255
    if y >= PRIME:
        return None
    square = (y * y - 1) * pow(CURVE * y * y + 1, -1, PRIME) % PRIME
    x = pow(square, (PRIME + 3) // 8, PRIME)
    if (x * x - square) % PRIME:
        x = x * HALF_TURN % PRIME
    if (x * x - square) % PRIME or (x == 0 and odd):
        return None
    x = PRIME - x if x & 1 != odd else x
    return x, y, 1, x * y % PRIME


BASE = _point((4 * pow(5, -1, PRIME) % PRIME).to_bytes(32, "little"))
