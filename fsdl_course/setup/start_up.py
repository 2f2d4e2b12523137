"""What an interpreter of the course does when it starts: it finds ``fsdl_deploy``, and settles the proxies.

Both stand in a ``.pth`` file of its environment, so they hold for a notebook opened in any editor and for
every program that it starts. Python up to 3.12 reads such a file in the encoding of the locale, and one
that it cannot read ends the interpreter: the text is ASCII, whatever letters a path has. Standard library
only.
"""

import os
from collections.abc import Sequence
from pathlib import Path

FILE = "fsdl_deploy.pth"
# Without a proxy nothing is imported; whatever goes wrong, the interpreter starts.
_SETTLE = """try:
    import os
    if any(name.lower().endswith("_proxy") for name in os.environ):
        from fsdl_deploy import proxies
        proxies.at_start()
except Exception:
    pass
"""


def text(places: Sequence[Path] = ()) -> str:
    """The lines of the file; packages in ``places`` can be imported where the environment lacks them."""
    # As bytes: which letters they are is a question of the locale of whoever starts the interpreter.
    lines = [f"import os, sys; sys.path.append(os.fsdecode({os.fsencode(place)}))" for place in places]
    return "\n".join([*lines, f"import sys; exec({_SETTLE!a}, {{}})", ""])


def remove(site: Path) -> None:
    (site / FILE).unlink(missing_ok=True)


def write(site: Path, places: Sequence[Path] = ()) -> None:
    """Write the file into an environment's folder of packages."""
    (site / FILE).write_text(text(places), encoding="ascii")
    (site / FILE).chmod(0o644)  # whatever the umask: a sandbox reads it as another user
