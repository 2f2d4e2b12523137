"""The endpoint on AWS: deploy it, say what runs and what it has cost, destroy it until nothing is left

Each of the three may be called again at any time, also after one that was killed half-way.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from botocore.exceptions import ClientError

from fsdl_deploy.managed import aws_parts, aws_sagemaker_parts
from fsdl_deploy.managed.aws_part import asked
from fsdl_deploy.managed.aws_session import AwsSession
from fsdl_deploy.managed.infrastructure import TAG, AwsResource, resources
from fsdl_deploy.managed.infrastructure_settings import EndpointSettings, InfrastructureError, price_of
from fsdl_deploy.managed.tariffs import HOURS

PARTS = {
    "AWS::Budgets::Budget": aws_parts.BudgetPart,
    "AWS::SNS::Topic": aws_parts.TopicPart,
    "AWS::S3::Bucket": aws_parts.BucketPart,
    "AWS::Logs::LogGroup": aws_parts.LogGroupPart,
    "AWS::IAM::Role": aws_parts.RolePart,
    "AWS::CloudWatch::Alarm": aws_parts.AlarmPart,
    "AWS::SageMaker::Model": aws_sagemaker_parts.ModelPart,
    "AWS::SageMaker::EndpointConfig": aws_sagemaker_parts.EndpointConfigPart,
    "AWS::SageMaker::Endpoint": aws_sagemaker_parts.EndpointPart,
    "AWS::ApplicationAutoScaling::ScalableTarget": aws_sagemaker_parts.ScalableTargetPart,
    "AWS::ApplicationAutoScaling::ScalingPolicy": aws_sagemaker_parts.ScalingPolicyPart,
}  # in the order in which they are made; they are removed in the opposite one


def price_said(plan: EndpointSettings) -> str:
    """What the endpoint will cost, as sentences: by the hour, the day and the month."""
    hour, price, count = plan.hourly(), plan.price, len(plan.variants) * plan.instances_least
    variants = " and ".join(plan.variants)
    elsewhere = "" if price.region == plan.region else f" In {plan.region} prices differ."
    return (
        f"{plan.name}: {count} x {plan.instance} ({variants}) cost {hour:.2f} {price.currency} "
        f"an hour, {24 * hour:.2f} a day, {HOURS * hour:,.2f} a month, whether anybody asks or not; with all "
        f"instances that the scaling allows {plan.hourly(most=True):.2f} an hour. Logs, alarms, captured "
        f"requests and data come on top.{elsewhere} "
        f"(List price, {price.region}, {price.date}: {price.source})"
    )


def deploy(session: AwsSession, plan: EndpointSettings, tell: Callable[[str], None] = print) -> None:
    """Make all that is not there yet. Raises InfrastructureError, or ClientError with AWS's own words.

    Before the first change it looks whether somebody else has anything of these names.
    """
    needed = resources(plan, session.account())
    must_be_free(session, plan.name, needed)
    for resource in needed:
        PARTS[resource.type](session, plan.name).make(resource)
        tell(f"{_short(resource.type):15} {resource.name}")
    if not plan.mail:
        tell("No mail is set: the alarms and the budget warn nobody. Set `mail`, and deploy again")


def must_be_free(session: AwsSession, name: str, needed: list[AwsResource]) -> None:
    """Raises InfrastructureError, with all of them, where namesakes of somebody else's are there."""
    parts = {kind: PARTS[kind](session, name) for kind in PARTS}
    namesakes = [
        f"{_short(resource.type)} {resource.name}"
        for resource in needed
        if parts[resource.type].owner(resource.name) is False
    ]
    if namesakes:
        raise InfrastructureError(
            f"Nothing was made: somebody else has {', '.join(namesakes)} (without the tag {TAG}={name}). "
            "Take another name (--name)"
        )


def present(session: AwsSession, name: str) -> Iterator[tuple[str, str]]:
    """Type and name of each resource that is there, what was made last first.

    What AWS does not let us look at counts as there, with AWS's words for a name.
    """
    for kind in reversed(PARTS):
        try:
            yield from ((kind, there) for there in PARTS[kind](session, name).names())
        except ClientError as error:
            yield kind, f"cannot be looked at: {error}"


def destroy(session: AwsSession, name: str, tell: Callable[[str], None] = print) -> list[tuple[str, str]]:
    """Remove all of the endpoint ``name``; return type and name of what is left, [] if nothing is.

    What cannot be removed stops nothing else, with two exceptions: as long as the endpoint is there, what
    warns of it is, too; and as long as a part without a tag is there, so is the topic, which says that it is
    ours. What failed counts as left. Raises InfrastructureError, before anything is removed, where the
    endpoint is somebody else's.
    """
    failed: list[tuple[str, str]] = []
    endpoint = aws_sagemaker_parts.EndpointPart(session, name)
    endpoint.must_be_ours_or_none()
    for kind in reversed(PARTS):
        if PARTS[kind] is aws_parts.TopicPart and any(PARTS[before].untagged for before, _ in failed):
            tell(f"{_short(kind):15} stays until all else is gone: it says whose the rest is. Destroy again")
            continue
        failed += _removed(session, name, kind, tell)
        if kind == "AWS::SageMaker::Endpoint" and endpoint.described(name):
            tell("The endpoint is still there, so what it needs and what warns of it stays, too")
            break
    left = list(present(session, name))
    return left + [entry for entry in failed if entry not in left]


def _removed(session: AwsSession, name: str, kind: str, tell: Callable[[str], None]) -> list[tuple[str, str]]:
    """Remove what there is of a type; what failed, as ``present`` names it."""
    part, failed = PARTS[kind](session, name), []
    try:
        names = part.names()
    except ClientError as error:
        tell(f"{_short(kind):15} NOT looked for: {error}")
        return [(kind, f"cannot be looked at: {error}")]
    for there in names:
        try:
            part.remove(there)
            tell(f"{_short(kind):15} {there} removed")
        except (ClientError, InfrastructureError) as error:
            tell(f"{_short(kind):15} {there} NOT removed: {error}")
            failed.append((kind, there))
    return failed


@dataclass(frozen=True)
class EndpointStatus:
    """What is there. ``cost``: USD so far, as if it had had today's instances from the beginning."""

    parts: list[tuple[str, str]]
    state: str
    instances: dict[str, int]
    hourly: float
    hours: float

    @property
    def cost(self) -> float:
        return self.hours * self.hourly

    def __str__(self) -> str:
        lines = [f"{_short(kind):15} {name}" for kind, name in self.parts] or ["nothing is there"]
        if self.state:
            counts = ", ".join(f"{name}: {count}" for name, count in self.instances.items())
            usd = "at a price that is not in the table"
            if not math.isnan(self.hourly):
                usd = f"{self.hourly:.2f} USD an hour, about {self.cost:.2f} USD so far"
            lines.append(f"The endpoint is {self.state}, {self.hours:.1f} h old, with {counts}: {usd}")
        return "\n".join(lines)


def status(session: AwsSession, plan: EndpointSettings, now: datetime | None = None) -> EndpointStatus:
    """What runs, and what it has cost until ``now``. AWS's bill also knows of instances that went."""
    endpoint = aws_sagemaker_parts.EndpointPart(session, plan.name).described(plan.name)
    counts = {
        variant["VariantName"]: variant.get("CurrentInstanceCount", plan.instances_least)
        for variant in endpoint.get("ProductionVariants", [])
    }
    paid = endpoint.get("EndpointStatus") not in (None, "Failed", "OutOfService")
    age = (now or datetime.now(UTC)) - endpoint["CreationTime"] if endpoint else None
    return EndpointStatus(
        list(present(session, plan.name)),
        endpoint.get("EndpointStatus", ""),
        counts,
        _hourly(session, endpoint, counts) if paid else 0.0,
        max(0.0, age.total_seconds() / 3600) if age else 0.0,
    )


def _hourly(session: AwsSession, endpoint: dict, counts: dict[str, int]) -> float:
    """USD an hour of the instances that there are; nan if the table has no price for one of them."""
    describe = session.client("sagemaker").describe_endpoint_config
    config = asked(describe, EndpointConfigName=endpoint["EndpointConfigName"]) or {}
    kinds = {
        item["VariantName"]: item.get("InstanceType", "") for item in config.get("ProductionVariants", [])
    }
    try:
        return sum(count * price_of(kinds[variant]).value for variant, count in counts.items())
    except (InfrastructureError, KeyError):
        return math.nan


def _short(kind: str) -> str:
    return kind.rpartition("::")[2]
