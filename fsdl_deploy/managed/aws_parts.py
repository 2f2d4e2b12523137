"""Each type of resource of an endpoint on AWS: how it is made, found again and removed, by AWS's calls

To make what is there already changes nothing. A resource is found by its name, and where AWS takes tags with
the very call that makes it, by its tag as well: a namesake of somebody else's is not ours. Knows one resource
at a time, and no order.
"""

import json
import re

from botocore.exceptions import ClientError

from fsdl_deploy.managed.aws_session import AwsSession
from fsdl_deploy.managed.infrastructure import TAG, AwsResource
from fsdl_deploy.managed.infrastructure_settings import InfrastructureError

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
    """

    ending = ""

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

    def must_be_ours(self, what: str, tags: list[dict]) -> None:
        """Raises InfrastructureError for a namesake."""
        if not self.ours(tags):
            raise InfrastructureError(
                f"There is {what} already, without the tag {TAG}={self.name}: it is somebody else's. "
                "Take another name"
            )


class BudgetPart(AwsPart):
    service = "budgets"

    def make(self, resource: AwsResource) -> None:
        budget = resource.properties["Budget"]
        limit = {**budget["BudgetLimit"], "Amount": str(budget["BudgetLimit"]["Amount"])}
        self.remove(self.name)  # it keeps no state, and its mails cannot be changed by one call
        mails = resource.properties.get("NotificationsWithSubscribers", [])
        self.api.create_budget(
            AccountId=self.session.account(), Budget={**budget, "BudgetLimit": limit},
            NotificationsWithSubscribers=mails, ResourceTags=self.tags,
        )  # fmt: skip

    def names(self) -> list[str]:
        names = {"AccountId": self.session.account(), "BudgetName": self.name}
        return [self.name] if asked(self.api.describe_budget, **names) else []

    def remove(self, name: str) -> None:
        asked(self.api.delete_budget, AccountId=self.session.account(), BudgetName=name)


class TopicPart(AwsPart):
    service = "sns"

    def make(self, resource: AwsResource) -> None:
        arn = self.api.create_topic(Name=resource.name, Tags=self.tags)["TopicArn"]
        for mail in resource.properties["Subscription"]:
            self.api.subscribe(TopicArn=arn, **mail)

    def names(self) -> list[str]:
        pages = self.api.get_paginator("list_topics").paginate()
        arns = [topic["TopicArn"] for page in pages for topic in page["Topics"]]
        return [
            arn for arn in arns if arn.rpartition(":")[2] == self.name
            and self.ours(self.api.list_tags_for_resource(ResourceArn=arn)["Tags"])
        ]  # fmt: skip

    def remove(self, name: str) -> None:
        for page in self.api.get_paginator("list_subscriptions_by_topic").paginate(TopicArn=name):
            for mail in page["Subscriptions"]:
                if mail["SubscriptionArn"].startswith("arn:"):  # not one that waits for its yes
                    self.api.unsubscribe(SubscriptionArn=mail["SubscriptionArn"])
        self.api.delete_topic(TopicArn=name)


class BucketPart(AwsPart):
    service = "s3"

    def make(self, resource: AwsResource) -> None:
        name, properties = resource.name, resource.properties
        if not self.names():
            region = self.session.region
            where = (
                {} if region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": region}}
            )
            self.api.create_bucket(Bucket=name, **where)
        self.api.put_bucket_tagging(Bucket=name, Tagging={"TagSet": self.tags})
        closed = properties["PublicAccessBlockConfiguration"]
        self.api.put_public_access_block(Bucket=name, PublicAccessBlockConfiguration=closed)
        rules = [
            {"ID": rule["Id"], "Status": rule["Status"], "Filter": {"Prefix": rule["Prefix"]},
             "Expiration": {"Days": rule["ExpirationInDays"]}}
            for rule in properties["LifecycleConfiguration"]["Rules"]
        ]  # fmt: skip
        self.api.put_bucket_lifecycle_configuration(Bucket=name, LifecycleConfiguration={"Rules": rules})

    def names(self) -> list[str]:
        """By its name, with the account's number in it: its tag comes by a call of its own."""
        name = f"{self.name}-{self.session.account()}"
        return [name] if asked(self.api.head_bucket, Bucket=name) else []

    def remove(self, name: str) -> None:
        for page in self.api.get_paginator("list_objects_v2").paginate(Bucket=name):
            keys = [{"Key": item["Key"]} for item in page.get("Contents", [])]
            if keys:
                self.api.delete_objects(Bucket=name, Delete={"Objects": keys})
        asked(self.api.delete_bucket, Bucket=name)


class LogGroupPart(AwsPart):
    service = "logs"

    def make(self, resource: AwsResource) -> None:
        if not self.names():
            self.api.create_log_group(logGroupName=resource.name, tags={TAG: self.name})
        days = resource.properties["RetentionInDays"]
        self.api.put_retention_policy(logGroupName=resource.name, retentionInDays=days)

    def names(self) -> list[str]:
        """Also one that the endpoint has made, which has no tag."""
        name = f"/aws/sagemaker/Endpoints/{self.name}"
        groups = self.api.describe_log_groups(logGroupNamePrefix=name)["logGroups"]
        return [name] if name in [group["logGroupName"] for group in groups] else []

    def remove(self, name: str) -> None:
        asked(self.api.delete_log_group, logGroupName=name)


class RolePart(AwsPart):
    service = "iam"

    def make(self, resource: AwsResource) -> None:
        name, properties = resource.name, resource.properties
        if there := asked(self.api.get_role, RoleName=name):
            self.must_be_ours(f"a role {name}", there["Role"].get("Tags", []))
        else:
            trust = json.dumps(properties["AssumeRolePolicyDocument"])
            self.api.create_role(RoleName=name, AssumeRolePolicyDocument=trust, Tags=self.tags)
        for policy in properties["Policies"]:
            document = json.dumps(policy["PolicyDocument"])
            self.api.put_role_policy(RoleName=name, PolicyName=policy["PolicyName"], PolicyDocument=document)

    def names(self) -> list[str]:
        there = asked(self.api.get_role, RoleName=self.name)
        return [self.name] if there and self.ours(there["Role"].get("Tags", [])) else []

    def remove(self, name: str) -> None:
        for policy in self.api.list_role_policies(RoleName=name)["PolicyNames"]:
            self.api.delete_role_policy(RoleName=name, PolicyName=policy)
        asked(self.api.delete_role, RoleName=name)


class AlarmPart(AwsPart):
    service, ending = "cloudwatch", "-[A-Za-z0-9]+-(errors|idle)"

    def make(self, resource: AwsResource) -> None:
        self.api.put_metric_alarm(**resource.properties, Tags=self.tags)

    def names(self) -> list[str]:
        pages = self.api.get_paginator("describe_alarms").paginate(AlarmNamePrefix=f"{self.name}-")
        alarms = [alarm for page in pages for alarm in page["MetricAlarms"]]
        return [
            alarm["AlarmName"] for alarm in alarms
            if self.named(alarm["AlarmName"])
            and self.ours(self.api.list_tags_for_resource(ResourceARN=alarm["AlarmArn"])["Tags"])
        ]  # fmt: skip

    def remove(self, name: str) -> None:
        self.api.delete_alarms(AlarmNames=[name])
