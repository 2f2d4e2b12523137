"""Write ``recorded.json``: fifty calls of the function at once, and again, and one after a quiet while.

python infra/scaling/aws_lambda/record.py [CROWD]
"""

import sys
import tempfile
from pathlib import Path

from fsdl_deploy.cards import cards
from fsdl_deploy.picture import encode
from fsdl_deploy.scaling import function_bursts, package_size, serverless


def main(crowd: int = 50) -> None:
    event = serverless.event(encode(next(iter(cards(1, "typical", seed=7))).image))
    with tempfile.TemporaryDirectory() as folder:
        package = package_size.build(Path(folder, "package"))
        package_size.read_by(package, event, compiling=True)  # byte-code, as a package of one's own has
        for phase in function_bursts.record(package, package_size.HANDLER, event, crowd):
            print(phase, flush=True)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
