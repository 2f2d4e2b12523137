"""What all resources of an endpoint on AWS have in common: a name, a tag, and whose they are

A resource is ours by its name and by a mark: its tag, or for a budget what it filters by. What has no tag yet
is ours only while our topic, which is made before it and removed after it, or our endpoint is there. All else
is a namesake of somebody else's.
"""

import re

from botocore.exceptions import ClientError

from fsdl_deploy.managed.aws_session import AwsSession
from fsdl_deploy.managed.infrastructure import TAG, AwsResource

GONE = {
    "404",
    "NoSuchEntity",
    "NoSuchBucket",
    "NotFoundException",
    "ResourceNotFoundException",
    "NoSuchTagSet",
}


def asked(call, **arguments):
    """What a call answers; None if the resource is not there."""
    try:
        return call(**arguments)
    except ClientError as error:
        code, text = error.response["Error"]["Code"], error.response["Error"].get("Message", "")
        if code in GONE or (
            code == "ValidationException" and text.startswith(("Could not find", "No scalable"))
        ):
            return None
        raise


class AwsPart:
    """One type of resource, for the endpoint ``name``; the methods raise ClientError where AWS refuses.

    ``ending``: a pattern of what follows the endpoint's name in the names of this type.
    ``untagged``: whether one may be without a tag, so that only our topic or endpoint says that it is ours.
    """

    ending, untagged = "", False

    def __init__(self, session: AwsSession, name: str):
        self.session, self.name = session, name
        self.tags = [{"Key": TAG, "Value": name}]
        self.api = session.client(self.service)

    def named(self, name: str) -> bool:
        """Whether a part of this endpoint is called so; another endpoint's name may begin alike."""
        return re.fullmatch(re.escape(self.name) + self.ending, name) is not None

    def ours(self, tags: list[dict]) -> bool:
        """Whether some tags say that a resource belongs to this endpoint."""
        return self.tags[0] in [{"Key": tag["Key"], "Value": tag["Value"]} for tag in tags]

    def owner(self, name: str) -> bool | None:
        """Of the resource of this name: True if it is ours, False for a namesake, None if there is none."""
        raise NotImplementedError

    def make(self, resource: AwsResource) -> None:
        """Make it, or change it; nothing where it is as it should be."""
        raise NotImplementedError

    def names(self) -> list[str]:
        """The names of ours that are there."""
        raise NotImplementedError

    def remove(self, name: str) -> None:
        """Remove it; nothing where it is gone."""
        raise NotImplementedError

    def topics(self, name: str) -> list[str]:
        """The ARN of the topic of this name, whoever's it is; [] if there is none."""
        pages = self.session.client("sns").get_paginator("list_topics").paginate()
        arns = [topic["TopicArn"] for page in pages for topic in page["Topics"]]
        return [arn for arn in arns if arn.rpartition(":")[2] == name]

    def topic_is_ours(self, arn: str) -> bool:
        """By its tag."""
        return self.ours(self.session.client("sns").list_tags_for_resource(ResourceArn=arn)["Tags"])

    def deployed(self) -> bool:
        """Whether a deployment of ours has been begun: our topic is there, or our endpoint."""
        if any(map(self.topic_is_ours, self.topics(self.name))):
            return True
        sagemaker = self.session.client("sagemaker")
        endpoint = asked(sagemaker.describe_endpoint, EndpointName=self.name)
        return bool(endpoint) and self.ours(sagemaker.list_tags(ResourceArn=endpoint["EndpointArn"])["Tags"])
