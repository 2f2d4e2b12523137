"""What an endpoint on AWS should be: the settings of ``infra/managed/aws/endpoint.toml``, and their price

Knows nothing of resources, clients and calls.
"""

import re
from dataclasses import dataclass, field, fields
from pathlib import Path

from fsdl_deploy import dated_rows
from fsdl_deploy.managed import prices
from fsdl_deploy.paths import ROOT

FOLDER = ROOT / "infra" / "managed" / "aws"
FILE = FOLDER / "endpoint.toml"
MOST_SHARE = 1e6  # of a variant: beyond, another share would be nothing in a float of 32 bits
MOST = 1_000_000  # of instances, calls, errors and dollars
_NAME = re.compile(r"(?=.{3,32}$)[a-z](-?[a-z0-9])+")


class InfrastructureError(ValueError):
    """Settings that cannot be, or resources that stand in the way; the message says what to do."""


@dataclass(frozen=True)
class EndpointSettings:
    """What ``endpoint.toml`` says. Raises InfrastructureError for what cannot be."""

    name: str
    region: str
    image: str
    instance: str
    instances_least: int
    instances_most: int
    calls_a_minute: int
    captured: int
    errors: int
    idle_hours: int
    budget: int
    mail: str = ""
    variants: dict[str, float] = field(default_factory=dict)

    def __post_init__(self):
        texts = [name for name in ("name", "region", "image", "instance", "mail")
                 if not isinstance(getattr(self, name), str)]  # fmt: skip
        numbers = [
            item.name for item in fields(self) if item.type is int and not _whole(getattr(self, item.name))
        ]
        if texts or numbers:
            raise InfrastructureError(
                f"{(texts or numbers)[0]}: this must be a {'text' if texts else 'whole number'}"
            )
        rules = {
            "name": (_NAME.fullmatch(self.name), "3 to 32 small letters, digits and single hyphens"),
            "region": (re.fullmatch(r"[a-z]{2}(-[a-z]+)+-\d", self.region), "a region such as us-east-1"),
            "image": (re.fullmatch(r"[a-z0-9][a-z0-9._/-]+", self.image), "a repository, without a tag"),
            "instance": (re.fullmatch(r"ml\.[a-z0-9-]+\.[a-z0-9]+", self.instance), "one like ml.m5.xlarge"),
            "instances_most": (
                0 < self.instances_least <= self.instances_most <= MOST, "instances_least or more"
            ),
            "calls_a_minute": (0 < self.calls_a_minute <= MOST, "1 to a million"),
            "captured": (0 < self.captured <= 100, "1 to 100 per cent"),
            "errors": (0 < self.errors <= MOST, "1 to a million"),
            "idle_hours": (0 < self.idle_hours <= 24, "1 to 24: an alarm looks back a day at most"),
            "budget": (0 < self.budget <= MOST, "1 to a million"),
            "mail": (re.fullmatch(r"|[^@\s]+@[^@\s]+", self.mail), "an address, or empty"),
            "variants": (_shares(self.variants), "one or two names with shares of 0 to a million, not all 0"),
        }  # fmt: skip
        for name, (good, rule) in rules.items():
            if not good:
                raise InfrastructureError(f"{name}: {dated_rows.quoted(getattr(self, name))} is not {rule}")

    @property
    def price(self) -> prices.Price:
        """Of an instance for an hour. Raises InfrastructureError if the table has no price for it."""
        return price_of(self.instance)

    def hourly(self, most: bool = False) -> float:
        """USD an hour for the instances of all variants: with as few as there are, or as many as may be."""
        instances = self.instances_most if most else self.instances_least
        return len(self.variants) * instances * self.price.value


def price_of(instance: str) -> prices.Price:
    """Of an instance such as ``ml.m5.xlarge`` for an hour. Raises InfrastructureError without a price."""
    name = "endpoint_" + instance.removeprefix("ml.").replace(".", "_") + "_hour"
    try:
        return prices.prices()[name]
    except KeyError:
        raise InfrastructureError(
            f"{prices.FILE.name} has no price for {instance}: add {name}, with its date and source"
        ) from None


def _whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _shares(variants: object) -> bool:
    if not isinstance(variants, dict) or not 1 <= len(variants) <= 2:
        return False
    shares = variants.values()
    good = all(
        isinstance(share, int | float) and not isinstance(share, bool) and 0 <= share <= MOST_SHARE
        for share in shares
    )
    return good and sum(shares) > 0 and all(re.fullmatch("[a-z0-9]{1,10}", name) for name in variants)


def settings(file: Path = FILE, **changed: object) -> EndpointSettings:
    """The settings of a file, with some changed. Raises InfrastructureError, also for an unknown one."""
    try:
        return EndpointSettings(**dated_rows.document(file, InfrastructureError) | changed)
    except TypeError as error:  # too many or too few
        problem = str(error).partition("() ")[2] or str(error)
        raise InfrastructureError(f"{file.name}: it {problem}") from None
