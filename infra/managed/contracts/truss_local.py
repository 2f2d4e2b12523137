"""Truss's server outside its container, with scikit-learn and transformers of another environment.

``truss_local.py CONTEXT PORT PATH …``: as ``infra/packaging/truss/local.py``, which it runs; packages that
Truss's own environment lacks are looked for in the PATHs, after its own.
"""

import runpy
import sys
from pathlib import Path

LOCAL = Path(__file__).resolve().parents[2] / "packaging" / "truss" / "local.py"

if __name__ == "__main__":
    context, port, *borrowed = sys.argv[1:]
    sys.path.extend(borrowed)
    sys.argv[1:] = [context, port]
    runpy.run_path(str(LOCAL), run_name="__main__")
