"""The browser reader beside the pages: the app of ``fsdl-deploy edge app``, as files for any web server

A site that is published once has nobody who signs again: its release counts for ten years, and its number is
the minute in which it was made, so that a site that is made later brings a newer one. The key is thrown away.
"""

import tempfile
from datetime import UTC, datetime
from pathlib import Path

from fsdl_deploy import files
from fsdl_deploy.browser.app_files import app_files
from fsdl_deploy.browser.site import Site

DAYS = 3650.0
MODEL = "v2"


def write_reader(folder: Path, now: datetime | None = None) -> int:
    """Write the app, its runtime and a signed release of the model into ``folder``; bytes of all files.

    Raises StationError without the station ``node``, WeightsError for a damaged model.
    """
    now = now or datetime.now(UTC)
    with tempfile.TemporaryDirectory() as place:
        publisher = Site(Path(place)).make()
        publisher.publish(MODEL, days=DAYS, version=int(now.strftime("%Y%m%d%H%M")), now=now)
        bodies = {path: file.body for path, file in app_files(publisher.public).items() if path}
        for path in sorted(publisher.releases.rglob("*")):
            if path.is_file():
                bodies[f"releases/{path.relative_to(publisher.releases).as_posix()}"] = path.read_bytes()
    for path, body in bodies.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        files.write(folder / path, body)
    return sum(map(len, bodies.values()))
