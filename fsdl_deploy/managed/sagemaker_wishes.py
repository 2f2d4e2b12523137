"""What SageMaker's control plane wants: each endpoint with its variants, their versions and weights

Reads SageMaker's API and changes nothing there. A configuration is read anew each time, as it may have been
removed and made again under its name; at AWS that counts for the next endpoint only. Knows nothing of
processes.
"""

import math
from dataclasses import dataclass, replace

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
    """An endpoint as it should be. ``shadow`` gets a share of the requests and answers none.

    ``problem``: why the control plane's last word could not be followed, "" where it was.
    """

    endpoint: str
    config: str
    variants: tuple[Variant, ...]
    shadow: Variant | None = None
    problem: str = ""

    @property
    def all(self) -> tuple[Variant, ...]:
        """The production variants, and the shadow."""
        return self.variants + ((self.shadow,) if self.shadow else ())

    def variant(self, name: str) -> Variant | None:
        """The production variant of this name; None where there is none."""
        return next((known for known in self.variants if known.name == name), None)

    def chosen(self, chance: float) -> Variant | None:
        """Who answers, by the weights, for a ``chance`` from 0 to 1; None where no weight is above 0."""
        weighing = [known for known in self.variants if known.weight > 0]
        reach = chance * sum(map(self._part, weighing))
        for known in weighing:
            if reach <= self._part(known):
                return known
            reach -= self._part(known)
        return weighing[-1] if weighing else None  # what rounding left over

    def _part(self, variant: Variant) -> float:
        """A weight by the largest: the sum of those may be more than a number can be."""
        return variant.weight / max(known.weight for known in self.variants)

    @property
    def shadow_share(self) -> float:
        """The share of the requests that the shadow reads too: its weight by those of all others."""
        if self.shadow is None or not any(known.weight for known in self.variants):
            return 0.0
        return min(1.0, self._part(self.shadow) / sum(map(self._part, self.variants)))


def wishes(control, before: dict[str, Wish]) -> dict[str, Wish]:
    """All endpoints by name. ``before``: as they were, for a weight that moto does not say any more.

    One with something missing or wrong (its model was deleted, a name is none) stays as it was, or has no
    variants yet, with the ``problem``; it holds up no other.
    """
    known = {}
    for name in filter(control_plane.NAME.fullmatch, control_plane.endpoints(control)):
        try:
            known[name] = _wish(control, name, before.get(name))
        except (ClientError, KeyError, TypeError, ValueError) as error:
            known[name] = replace(
                before.get(name, Wish(name, "", ())), problem=f"{type(error).__name__}: {error}"
            )
    return known


def _wish(control, endpoint: str, before: Wish | None) -> Wish:
    now = control.describe_endpoint(EndpointName=endpoint)
    config = control_plane.must_be_name(now["EndpointConfigName"])
    weights = {entry["VariantName"]: entry.get("CurrentWeight") for entry in now["ProductionVariants"]}
    planned = control.describe_endpoint_config(EndpointConfigName=config)["ProductionVariants"]
    shadow = control_plane.shadow_of(control, config)
    variants = [_variant(control, entry) for entry in planned]
    if before is not None and before.config == config:
        last = {variant.name: variant.weight for variant in before.variants}
        variants = [replace(variant, weight=last.get(variant.name, variant.weight)) for variant in variants]
    variants = [
        replace(variant, weight=_weight(weights[variant.name]))
        if weights.get(variant.name) is not None
        else variant
        for variant in variants
    ]
    wish = Wish(endpoint, config, tuple(variants), _variant(control, shadow) if shadow else None)
    if len({variant.name for variant in wish.all}) < len(wish.all):
        raise ValueError(f"two variants of {config} have one name")
    return wish


def _weight(value: object) -> float:
    """Raises ValueError for a weight that is none."""
    weight = float(value)
    if not 0 <= weight < math.inf:
        raise ValueError(f"{value!r} is no weight: it must be a number not below 0")
    return weight


def _variant(control, entry: dict) -> Variant:
    name = control_plane.must_be_name(entry["VariantName"])
    container = control.describe_model(ModelName=entry["ModelName"]).get("PrimaryContainer", {})
    version = container.get("Environment", {}).get(control_plane.VERSION, "v2")
    at_once = entry.get("ServerlessConfig", {}).get("MaxConcurrency", 0)
    return Variant(name, version, _weight(entry.get("InitialVariantWeight", 1.0)), at_once)
