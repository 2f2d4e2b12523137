"""What a page makes of the files: ``opened.py ARTIFACT ...`` prints JSON

``files``: of each file the types of its inputs, or the first line of what LiteRT.js says instead of opening
it. ``asked``: the addresses that the page of the first file asked for. ``wasm``: bytes of the runtime's
WebAssembly, as it is and through gzip.
"""

import gzip
import json
import sys
from pathlib import Path

from playwright.sync_api import Error
from read import TflitePage

from fsdl_deploy.running.stations import station

WASM = station("node").node_modules / "@litertjs" / "core" / "wasm" / "litert_wasm_internal.wasm"


def main() -> None:
    rows, asked = zip(*(opened(Path(name)) for name in sys.argv[1:]), strict=True)
    body = WASM.read_bytes()
    sizes = {"bytes": len(body), "gzip": len(gzip.compress(body, mtime=0))}
    print(json.dumps({"files": rows, "asked": asked[0], "wasm": sizes}))


def opened(file: Path) -> tuple[dict[str, str], list[str]]:
    """What the page says of one file, and what it asked for."""
    try:
        with TflitePage(file) as page:
            first = next(iter(page.signatures.values()))
            return {"file": file.name, "takes": ", ".join(wants["dtype"] for wants in first)}, page.asked
    except Error as error:
        return {"file": file.name, "says": str(error).splitlines()[0].rpartition("Error: ")[2]}, []


if __name__ == "__main__":
    main()
