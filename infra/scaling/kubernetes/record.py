"""Write ``recorded.json``: what the notebook on Kubernetes shows where no cluster answers.

python infra/scaling/kubernetes/record.py    (a cluster of one's own, and the engine that builds its images)
"""

import sys

from fsdl_deploy.measuring import records
from fsdl_deploy.packaging.engine import find_engine
from fsdl_deploy.scaling import cluster_trial
from fsdl_deploy.scaling.cluster_images import bring_images
from fsdl_deploy.scaling.kubernetes import find_cluster


def main() -> int:
    cluster, engine = find_cluster(), find_engine()
    if cluster is None or engine is None:
        return 1
    bring_images(engine, cluster.context)
    records.write(cluster_trial.RECORD, **cluster_trial.run(cluster))
    return 0


if __name__ == "__main__":
    sys.exit(main())
