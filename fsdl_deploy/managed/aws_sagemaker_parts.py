"""Models, configurations, endpoints and their scaling on SageMaker: how each is made, found again and removed

An endpoint is waited for: only one that is in service, or that failed, can be removed.
"""

from botocore.exceptions import ClientError

from fsdl_deploy.managed.aws_part import AwsPart, asked
from fsdl_deploy.managed.infrastructure import DIMENSION, SERVICE, TAG, AwsResource
from fsdl_deploy.managed.infrastructure_settings import InfrastructureError
from fsdl_deploy.running import waiting

ROLE_SECONDS, ENDPOINT_SECONDS, PAUSE = 60, 1800, 5
MOVING = ("Creating", "Updating", "SystemUpdating", "RollingBack", "Deleting")


class _SageMaker(AwsPart):
    """A model, a configuration or an endpoint: AWS has the same calls for each, under other words."""

    service, word, field, kept, refused = "sagemaker", "", "", (), "%s"

    def _call(self, verb: str):
        return getattr(self.api, f"{verb}_{self.word}")

    def make(self, resource: AwsResource) -> None:
        there = asked(self._call("describe"), **{self.field: resource.name})
        if there is None:
            self._made(resource)
            return
        for name in self.kept:
            if not _same(there.get(name), resource.properties[name]):
                raise InfrastructureError(
                    f"The {self.word.replace('_', ' ')} {resource.name} is there with another {name}, "
                    "and AWS changes none: destroy first, or deploy under another name"
                )

    def _made(self, resource: AwsResource) -> None:
        self._call("create")(**resource.properties, Tags=self.tags)

    def _tags(self, arn: str) -> list[dict]:
        pages = self.api.get_paginator("list_tags").paginate(ResourceArn=arn)
        return [tag for page in pages for tag in page["Tags"]]

    def owner(self, name: str) -> bool | None:
        there = asked(self._call("describe"), **{self.field: name})
        return self.ours(self._tags(there[f"{self.arn}Arn"])) if there else None

    def names(self) -> list[str]:
        pages = self.api.get_paginator(f"list_{self.word}s").paginate(NameContains=self.name)
        items = [
            item for page in pages for items in page.values() if isinstance(items, list) for item in items
        ]
        here = [item for item in items if self.named(item[self.field])]
        return [item[self.field] for item in here if self.ours(self._tags(item[f"{self.arn}Arn"]))]

    def remove(self, name: str) -> None:
        asked(self._call("delete"), **{self.field: name})


def _same(there: object, expected: object) -> bool:
    """Whether what AWS keeps has what was asked for; AWS adds fields of its own."""
    if isinstance(expected, dict):
        return isinstance(there, dict) and all(
            _same(there.get(key), value) for key, value in expected.items()
        )
    if isinstance(expected, list):
        return isinstance(there, list) and len(there) == len(expected) and all(map(_same, there, expected))
    return there == expected


class ModelPart(_SageMaker):
    word, arn, field, kept = "model", "Model", "ModelName", ("PrimaryContainer",)
    ending = "--[a-z0-9]+"

    def _made(self, resource: AwsResource) -> None:
        """A new role is not known everywhere at once."""

        def known() -> bool:
            try:
                super(ModelPart, self)._made(resource)
            except ClientError as error:
                if "assume role" not in str(error):
                    raise
                return False
            return True

        waiting.until(known, ROLE_SECONDS, InfrastructureError, "the role is known to SageMaker", PAUSE)


class EndpointConfigPart(_SageMaker):
    word, arn, field = "endpoint_config", "EndpointConfig", "EndpointConfigName"
    kept = ("ProductionVariants",)


class EndpointPart(_SageMaker):
    word, arn, field, kept = "endpoint", "Endpoint", "EndpointName", ("EndpointConfigName",)

    def make(self, resource: AwsResource) -> None:
        super().make(resource)
        self.wait(resource.name)
        status = self.described(resource.name)
        if status["EndpointStatus"] != "InService":
            reason = status.get("FailureReason", "AWS gives no reason")
            raise InfrastructureError(
                f"The endpoint {resource.name} is {status['EndpointStatus']}: {reason}. "
                "Destroy it, mend that, deploy again"
            )

    def must_be_ours_or_none(self) -> None:
        """Raises InfrastructureError where somebody else has an endpoint of this name."""
        if self.owner(self.name) is False:
            raise InfrastructureError(
                f"There is an endpoint {self.name} without the tag {TAG}={self.name}: it is somebody else's"
            )

    def described(self, name: str) -> dict:
        """What AWS says of the endpoint; {} if there is none."""
        return asked(self.api.describe_endpoint, EndpointName=name) or {}

    def wait(self, name: str) -> None:
        """Until it is neither being made nor changed nor removed."""
        waiting.until(
            lambda: self.described(name).get("EndpointStatus") not in MOVING,
            ENDPOINT_SECONDS, InfrastructureError, f"the endpoint {name} is at rest", PAUSE,
        )  # fmt: skip

    def remove(self, name: str) -> None:
        self.wait(name)
        super().remove(name)
        self.wait(name)


class ScalableTargetPart(AwsPart):
    """Its name is that of what is scaled, which has the endpoint's name in it; whose that is, it is, too.

    It gets its tag for the sake of policies only: stacks give it none.
    """

    service, listing, items = "application-autoscaling", "describe_scalable_targets", "ScalableTargets"
    field, untagged = "ResourceId", True

    def make(self, resource: AwsResource) -> None:
        tags = {} if resource.name in self.names() else {"Tags": {TAG: self.name}}
        self.api.register_scalable_target(**resource.properties, **tags)

    def _listed(self) -> list[dict]:
        pages = self.api.get_paginator(self.listing).paginate(ServiceNamespace=SERVICE)
        return [
            item for page in pages for item in page[self.items]
            if item["ResourceId"].startswith(f"endpoint/{self.name}/variant/")
        ]  # fmt: skip

    def owner(self, name: str) -> bool | None:
        return self.deployed() if name in [item[self.field] for item in self._listed()] else None

    def names(self) -> list[str]:
        items = self._listed()
        return [item[self.field] for item in items] if items and self.deployed() else []

    def remove(self, name: str) -> None:
        which = {"ServiceNamespace": SERVICE, "ResourceId": name, "ScalableDimension": DIMENSION}
        asked(self.api.deregister_scalable_target, **which)


class ScalingPolicyPart(ScalableTargetPart):
    listing, items, field = "describe_scaling_policies", "ScalingPolicies", "PolicyName"

    def make(self, resource: AwsResource) -> None:
        self.api.put_scaling_policy(**resource.properties)

    def remove(self, name: str) -> None:
        for policy in self._listed():
            if policy["PolicyName"] == name:
                which = {"ServiceNamespace": SERVICE, "ResourceId": policy["ResourceId"]}
                self.api.delete_scaling_policy(PolicyName=name, ScalableDimension=DIMENSION, **which)
