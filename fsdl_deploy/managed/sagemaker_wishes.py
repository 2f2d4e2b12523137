"""What SageMaker's control plane wants: each endpoint with its variants, their versions and weights

Reads SageMaker's API and changes nothing there. Knows nothing of processes.
"""

from dataclasses import dataclass

from botocore.exceptions import ClientError

from fsdl_deploy.managed import sagemaker_control as control_plane


@dataclass(frozen=True)
class Variant:
    """A variant of an endpoint. ``at_once``: requests at a time of a serverless one; 0 for machines."""

    name: str
    version: str
    weight: float
    at_once: int = 0


@dataclass(frozen=True)
class Wish:
    """An endpoint as it should be. ``shadow`` gets a share of the requests and answers none."""

    endpoint: str
    config: str
    variants: tuple[Variant, ...]
    shadow: Variant | None = None

    @property
    def all(self) -> tuple[Variant, ...]:
        """The production variants, and the shadow."""
        return self.variants + ((self.shadow,) if self.shadow else ())

    def variant(self, name: str) -> Variant | None:
        """The production variant of this name; None where there is none."""
        return next((known for known in self.variants if known.name == name), None)

    def chosen(self, chance: float) -> Variant | None:
        """Who answers, by the weights, for a ``chance`` from 0 to 1; None where no weight is above 0."""
        reach = chance * sum(known.weight for known in self.variants)
        for known in self.variants:
            if known.weight > 0 and reach <= known.weight:
                return known
            reach -= known.weight
        return None

    @property
    def shadow_share(self) -> float:
        """The share of the requests that the shadow reads too: its weight by those of all others."""
        total = sum(known.weight for known in self.variants)
        return min(1.0, self.shadow.weight / total) if self.shadow and total else 0.0


def wishes(control, before: dict[str, Wish]) -> dict[str, Wish]:
    """All endpoints by name. ``before``: as they were, for a weight that moto does not say any more.

    One of which something is missing (its model was deleted) stays as it was, or is left out.
    """
    known = {}
    for name in filter(control_plane.NAME.fullmatch, control_plane.endpoints(control)):
        try:
            known[name] = _wish(control, name, before.get(name))
        except ClientError:
            if name in before:
                known[name] = before[name]
    return known


def _wish(control, endpoint: str, before: Wish | None) -> Wish:
    now = control.describe_endpoint(EndpointName=endpoint)
    config = now["EndpointConfigName"]
    known = {entry["VariantName"]: entry for entry in now["ProductionVariants"]}
    if before is None or before.config != config:  # a configuration never changes: it is read once
        planned = control.describe_endpoint_config(EndpointConfigName=config)["ProductionVariants"]
        shadow = control_plane.shadow_of(control, config)
        variants = tuple(_variant(control, entry) for entry in planned)
        before = Wish(endpoint, config, variants, _variant(control, shadow) if shadow else None)
    variants = tuple(
        Variant(
            old.name,
            old.version,
            float(known.get(old.name, {}).get("CurrentWeight", old.weight)),
            old.at_once,
        )
        for old in before.variants
    )
    return Wish(endpoint, config, variants, before.shadow)


def _variant(control, entry: dict) -> Variant:
    container = control.describe_model(ModelName=entry["ModelName"]).get("PrimaryContainer", {})
    version = container.get("Environment", {}).get(control_plane.VERSION, "v2")
    at_once = entry.get("ServerlessConfig", {}).get("MaxConcurrency", 0)
    return Variant(entry["VariantName"], version, float(entry.get("InitialVariantWeight", 1.0)), at_once)
