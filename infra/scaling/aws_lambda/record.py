"""Write ``recorded.json``: fifty calls of the function at once, and again, and one after a quiet while.
Or write ``warm.json``: two hundred calls in turn, on five instances.

python infra/scaling/aws_lambda/record.py [CROWD]
python infra/scaling/aws_lambda/record.py warm
"""

import sys
import tempfile
from pathlib import Path

from fsdl_deploy.cards import cards
from fsdl_deploy.picture import encode
from fsdl_deploy.scaling import function_bursts, package_size, serverless


def main(kind: str = "50") -> None:
    event = serverless.event(encode(next(iter(cards(1, "typical", seed=7))).image))
    with tempfile.TemporaryDirectory() as folder:
        package = package_size.build(Path(folder, "package"))
        package_size.read_by(package, event, compiling=True)  # byte-code, as a package of one's own has
        if kind == "warm":
            print(function_bursts.record_warm(package, package_size.HANDLER, event, starts=5, each=40))
            return
        for phase in function_bursts.record(package, package_size.HANDLER, event, int(kind)):
            print(phase, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
