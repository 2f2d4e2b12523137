"""Write ``recorded.json``: what three copies take as processes, in compose, in a Swarm and on Kubernetes.

python infra/scaling/orchestrators/record.py CLUSTER [WAY …]

For a machine that nobody else reaches, since the Swarm publishes its copies at every address: the course's
own engine (``infra/docker/engine.sh``), and the course's own cluster in the folder CLUSTER (``cluster.sh``).
Both run all the while, so that each way meets the same machine. What failed stands in the record as a
sentence, and the exit status is 1. WAY, such as ``compose``: only these are counted, to be looked at, and
nothing is written.
"""

import os
import sys
from pathlib import Path

from fsdl_deploy.measuring import records
from fsdl_deploy.packaging.engine import find_engine
from fsdl_deploy.scaling.cluster_images import bring_images
from fsdl_deploy.scaling.cluster_trial import RATE
from fsdl_deploy.scaling.kubernetes import OURS, find_cluster
from fsdl_deploy.scaling.orchestrators import COPIES, CORES, RECORD, beside, count
from fsdl_deploy.scaling.ways_to_run import ComposeProject, OnKubernetes, Processes, SwarmStack, pids_of


def main(folder: Path, names: list[str]) -> int:
    os.environ["KUBECONFIG"] = str(folder / "kubeconfig")
    cluster, client = find_cluster(), find_engine()
    if cluster is None or client is None or cluster.context != OURS:
        return 1
    bring_images(client, OURS)
    engine = str(Path(os.environ["DOCKER_HOST"].removeprefix("unix://")).parent)
    others = pids_of(folder)  # they name the engine, and are no part of it
    ways = [
        Processes(),
        ComposeProject(client, engine, others),
        SwarmStack(client, engine, others),
        OnKubernetes(cluster, engine, folder),
    ]
    if unknown := set(names) - {way.name for way in ways}:
        print(f"there is no way {', '.join(sorted(unknown))}", file=sys.stderr)
        return 1
    alone, counted = beside([engine], without=others), []
    for way in ways:
        if not names or way.name in names:
            counted.append(count(way))
            print(counted[-1], flush=True)
    if not names:
        settings = {"copies": COPIES, "cores": CORES, "rate": RATE, "engine_alone": alone}
        records.write(RECORD, **settings, ways=counted)
    return 1 if any(way.problems for way in counted) else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]).resolve(), sys.argv[2:]))
