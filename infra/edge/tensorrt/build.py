"""The engine of the published graph: ``build.py OUT_DIR`` writes v2.engine, on any machine."""

import sys
from pathlib import Path

import engine

from fsdl_deploy import weights

if __name__ == "__main__":
    graph = engine.Parsed(weights.verified("v2.onnx"))
    if graph.problems:
        raise SystemExit(graph.problems[0])
    (Path(sys.argv[1]) / "v2.engine").write_bytes(graph.engine())
