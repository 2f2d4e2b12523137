"""Files for LiteRT.js: ``build.py OUT_DIR`` takes those of LiteRT, which are kept in ``models/edge``"""

import shutil
import sys

from fsdl_deploy.targets import catalogue

if __name__ == "__main__":
    files = catalogue.target("litert").artifacts
    for file in files.glob("*.tflite"):
        shutil.copy(file, sys.argv[1])
