"""Tries every model in every service that is here, and records what answered as the model itself.

``python infra/managed/contracts/record.py [SERVICE …]``: needs the stations contracts and truss, and
takes some minutes. With services only these are tried again, and the rest of the record stays.
"""

import sys
import tempfile
from dataclasses import asdict
from pathlib import Path

from fsdl_deploy.managed import contract_models
from fsdl_deploy.managed.contract_servers import trial
from fsdl_deploy.managed.contracts import MODELS, RECORD, contracts
from fsdl_deploy.measuring import records


def main(*services: str) -> int:
    """All of them, or those whose folder is named; 1 where an answer differed from the model's own."""
    fitted, trials = contract_models.fit(), []
    for contract in contracts():
        for model in MODELS:
            if contract.how[model] == "not here" or (services and contract.folder not in services):
                continue
            with tempfile.TemporaryDirectory(prefix="contracts") as folder:
                attempt = trial(contract, model, Path(folder), fitted=fitted if model == MODELS[0] else None)
            trials.append(asdict(attempt))
            print(attempt, flush=True)
    tried = {entry["service"] for entry in trials}
    before = records.read(RECORD)["trials"] if services and RECORD.exists() else []
    kept = [entry for entry in before if entry["service"] not in tried]
    order = [contract.name for contract in contracts()]
    both = sorted(
        kept + trials, key=lambda entry: (order.index(entry["service"]), MODELS.index(entry["model"]))
    )
    records.write(RECORD, trials=both)
    return int(any(entry["same"] < entry["count"] for entry in trials))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
