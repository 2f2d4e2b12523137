"""Attacks on updates: what may come between a publisher and a device, and the word by which a client refuses
it

One list for two clients: the app in the browser (``attacks``) and python-tuf (``infra/edge/tuf/trial.py``).
The names are those of The Update Framework's specification, section 1.5. Standard library only.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Attack:
    """What the attacker ``does``, the word by which the app refuses it, and python-tuf's exception."""

    name: str
    does: str
    app: str
    tuf: str


ATTACKS = (
    Attack("rollback", "serves an older release, as it was signed", "rollback", "BadVersionNumberError"),
    Attack("freeze", "holds back all news until the last release expires", "freeze", "ExpiredMetadataError"),
    Attack("tampering", "changes one byte of the model", "tampered", "LengthOrHashMismatchError"),
    Attack("wrong key", "signs a release with another key", "wrong key", "UnsignedMetadataError"),
    Attack("endless data", "sends a model that never ends", "endless", "DownloadLengthMismatchError"),
    Attack("mix-and-match", "serves a part of one release with another", "mixed", "BadVersionNumberError"),
    Attack("truncated", "cuts the model off", "truncated", "LengthOrHashMismatchError"),
)
