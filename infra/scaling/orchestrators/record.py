"""Write ``recorded.json``: what three copies take as processes, in compose, in a Swarm and on Kubernetes.

python infra/scaling/orchestrators/record.py CLUSTER

For a machine that nobody else reaches, since the Swarm publishes its copies at every address: the course's
own engine (``infra/docker/engine.sh``), and the course's own cluster in the folder CLUSTER (``cluster.sh``).
"""

import os
import sys
from pathlib import Path

from fsdl_deploy.measuring import records
from fsdl_deploy.packaging.engine import find_engine
from fsdl_deploy.scaling import orchestrators
from fsdl_deploy.scaling.cluster_images import bring_images
from fsdl_deploy.scaling.kubernetes import OURS, find_cluster


def main(folder: Path) -> int:
    os.environ["KUBECONFIG"] = str(folder / "kubeconfig")
    cluster, client = find_cluster(), find_engine()
    if cluster is None or client is None or cluster.context != OURS:
        return 1
    bring_images(client, OURS)
    engine = str(Path(os.environ["DOCKER_HOST"].removeprefix("unix://")).parent)
    ways = []
    for count in (
        orchestrators.plain_processes,
        lambda: orchestrators.compose(client, engine),
        lambda: orchestrators.docker_swarm(client, engine),
        lambda: orchestrators.kubernetes(cluster, engine, folder),
    ):
        ways.append(count())
        print(ways[-1], flush=True)
    records.write(orchestrators.RECORD, copies=orchestrators.COPIES, ways=ways)
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]).resolve()))
