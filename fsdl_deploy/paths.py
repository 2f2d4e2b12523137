"""Where the repository is, said once."""

from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BUILD = ROOT / "build"  # what commands make for themselves; git ignores it
