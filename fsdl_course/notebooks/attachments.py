"""Pictures pasted into a cell of prose: out of the notebook into files, and the links to them.

JupyterLab stores such a picture inside the cell, where no source can hold it, and links it as
``attachment:image.png``.
"""

import base64
import binascii
import hashlib
import os
import re
from pathlib import Path
from urllib.parse import quote

from fsdl_course.notebooks.percent import NotebookError

ENDINGS = {
    **{"image/png": ".png", "image/jpeg": ".jpg", "image/gif": ".gif"},
    **{"image/svg+xml": ".svg", "image/webp": ".webp"},
}
# What stands before the address of a link: ](, ](<, ]: or src="
BEFORE = r"""(\]\(\s*<?|\]:\s*<?|\bsrc\s*=\s*["']?)"""


def take_out(cell, path: Path, images: Path) -> tuple[dict[Path, bytes], list[str]]:
    """The pictures that a cell of the notebook at ``path`` shows, by the files below ``images`` for them.

    Also the names of those that no link shows. The cell's links then lead to these files, and its attachments
    are gone. Nothing is written. NotebookError for what is no picture, or for a link without its picture.
    """
    pictures, unseen = {}, []
    attachments = cell.pop("attachments", None) or {}
    for name in sorted(attachments, key=len, reverse=True):
        link = re.compile(
            f"{BEFORE}attachment:(?:{re.escape(name)}|{re.escape(quote(name))})(?=[\\s)>\"']|$)"
        )
        if not link.search(cell.source):
            unseen.append(name)
        else:
            ending, content = _picture(name, attachments[name])
            digest = hashlib.sha256(content).hexdigest()[:8]
            file = images / f"{path.stem}-{digest}{ending}"
            pictures[file] = content
            address = os.path.relpath(file, path.parent).replace(os.sep, "/")
            cell.source = link.sub(lambda match, address=address: match[1] + address, cell.source)
    if missing := re.search(BEFORE + r"(attachment:[^\s)>\"']+)", cell.source):
        raise NotebookError(f"the link {missing[2]} leads to no picture in its cell: paste it again")
    return pictures, unseen


def _picture(name: str, kinds: dict) -> tuple[str, bytes]:
    """The ending and the bytes of an attachment."""
    for kind, ending in ENDINGS.items():
        if kind in kinds:
            content = "".join(kinds[kind])
            try:
                if ending == ".svg" and content.lstrip().startswith("<"):
                    return ending, content.encode()
                return ending, base64.b64decode("".join(content.split()), validate=True)
            except binascii.Error:
                raise NotebookError(f"the picture {name} is damaged: paste it again") from None
    raise NotebookError(f"the attachment {name} is no picture ({', '.join(kinds)}): link it as a file")
