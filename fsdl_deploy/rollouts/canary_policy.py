"""What a balancer is told in a rollout: the candidate, its share, and who reads a second time, unseen"""

from dataclasses import dataclass

from fsdl_deploy.rollouts.split import BY, buckets
from fsdl_deploy.scaling.policy import Policy, checked

LOG = "requests.jsonl"
"""A line of JSON for each request, in the balancer's folder: id, customer, camera, who answered, how long."""


@dataclass(frozen=True)
class CanaryPolicy(Policy):
    """A ``Policy`` with a candidate, and its share of the traffic.

    ``candidate``: ports of its replicas. ``share``: 0 to 1 of the customers, or of the requests (``by``).
    ``shadow``: the share of the other requests that the candidate reads too, whose answers nobody gets.
    Envoy holds up nobody for a copy; nginx ends a connection after a request that was copied, and cuts slow
    copies off.
    ``reread``: the stable version reads what the candidate answers, so that the two can be compared.
    A candidate that cannot be reached, or says that it cannot, is replaced by the stable version.
    """

    candidate: tuple[int, ...] = ()
    share: float = 0.0
    shadow: float = 0.0
    by: str = "customer"
    reread: bool = True

    def __post_init__(self):
        super().__post_init__()
        checked(self.candidate)
        buckets(self.share)
        buckets(self.shadow)
        if self.by not in BY:
            raise ValueError(f"by={self.by!r} is unknown: traffic is split by {' or by '.join(BY)}")
