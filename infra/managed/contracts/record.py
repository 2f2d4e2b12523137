"""Tries every model in every service that is here, and records what answered as the model itself.

``python infra/managed/contracts/record.py``: needs the stations contracts and truss; takes some minutes.
"""

import json
import sys
import tempfile
from dataclasses import asdict
from datetime import date
from pathlib import Path

from fsdl_deploy.managed import contract_models
from fsdl_deploy.managed.contract_servers import trial
from fsdl_deploy.managed.contracts import FOLDER, MODELS, contracts
from fsdl_deploy.measuring import machine

FILE = FOLDER / "recorded.json"


def main(*only: str) -> int:
    """All of them, or those whose service is named."""
    fitted, trials = contract_models.fit(), []
    for contract in contracts():
        for model in MODELS:
            if contract.how[model] == "not here" or (only and contract.folder not in only):
                continue
            with tempfile.TemporaryDirectory(prefix="contracts") as folder:
                done = trial(contract, model, Path(folder), fitted=fitted if model == MODELS[0] else None)
            trials.append(asdict(done))
            print(done, flush=True)
    if not only:
        document = {"date": date.today().isoformat(), "machine": machine.describe(), "trials": trials}
        FILE.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
