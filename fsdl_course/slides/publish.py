"""Decks beside the pages of a site: copied there, their links to notebooks lead to the site's pages.

In ``build/slides`` a deck's links start from the repository, two folders above. Builds nothing.
"""

import re
import shutil
from pathlib import Path

REPOSITORY = re.compile(r'(href=")\.\./\.\./((?:notebooks|labs)/[^"#]*)\.ipynb(["#])')


def copy_to(built: Path, folder: Path) -> list[Path]:
    """Copy every deck of ``built`` and its PDF into ``folder``, which lies at the top of the site.

    Notebooks and labs have pages of their path and name there. Returns the copied pages.
    """
    folder.mkdir(parents=True, exist_ok=True)
    copied = []
    for page in sorted(built.glob("*.html")):
        text = REPOSITORY.sub(r"\1../\2.html\3", page.read_text(encoding="utf-8"))
        copied.append(folder / page.name)
        copied[-1].write_text(text, encoding="utf-8")
        if (pdf := page.with_suffix(".pdf")).is_file():
            shutil.copyfile(pdf, folder / pdf.name)
    return copied
