"""Open answers without names: each hand-in of a lab has a pseudonym, the same in every run of a folder.

They follow from a key that is drawn once and kept in ``pseudonyms.json``: whoever has the table alone cannot
tell whose an answer is. Sorted by pseudonym, a table is shuffled.
"""

import base64
import hmac
import json
import secrets
from dataclasses import asdict, dataclass
from pathlib import Path

from fsdl_deploy import files

FILE = "pseudonyms.json"


@dataclass(frozen=True)
class Pseudonyms:
    """The names that a table of open answers shows: the students' own, or pseudonyms made with ``key``."""

    key: str = ""
    anonymous: bool = False

    def name_of(self, lab: str, student: str) -> str:
        """What the table calls a hand-in: with pseudonyms such as ``K7QF-2MXA``, another one in each lab."""
        return self._of(lab, student) if self.anonymous else student

    def all_of(self, lab: str, student: str) -> list[str]:
        """What a row may call a hand-in that was written before names were hidden, or shown again."""
        return [student, self._of(lab, student)] if self.key else [student]

    def _of(self, lab: str, student: str) -> str:
        code = hmac.digest(bytes.fromhex(self.key), f"{lab}/{student}".encode(), "sha256")
        text = base64.b32encode(code).decode()
        return f"{text[:4]}-{text[4:8]}"


def of_folder(out: Path, anonymous: bool | None = None) -> Pseudonyms:
    """How the folder's table names hand-ins: as before with None, else from now on as ``anonymous`` says.

    ValueError if the file of the key is damaged.
    """
    path = out / FILE
    try:
        names = Pseudonyms(**json.loads(path.read_text(encoding="utf-8")))
        names.all_of("", "")
    except FileNotFoundError:
        names = Pseudonyms()
    except (ValueError, TypeError):
        raise ValueError(f"{path} is damaged: restore it, or remove it and grade with names") from None
    if anonymous is None or anonymous == names.anonymous:
        return names
    names = Pseudonyms(names.key or secrets.token_hex(16), anonymous)
    out.mkdir(parents=True, exist_ok=True)
    files.write(path, json.dumps(asdict(names)) + "\n")
    return names
