"""Each type of resource around an endpoint on AWS: how it is made, found again and removed, by AWS's calls

To make what is there already changes nothing. Knows one resource at a time, and no order.
"""

import json

from botocore.exceptions import ClientError

from fsdl_deploy.managed.aws_part import AwsPart, asked
from fsdl_deploy.managed.infrastructure import TAG, AwsResource, bucket_of, regional


class BudgetPart(AwsPart):
    service = "budgets"

    def make(self, resource: AwsResource) -> None:
        budget = resource.properties["Budget"]
        limit = {**budget["BudgetLimit"], "Amount": str(budget["BudgetLimit"]["Amount"])}
        self.remove(resource.name)  # it keeps no state, and its mails cannot be changed by one call
        mails = resource.properties.get("NotificationsWithSubscribers", [])
        self.api.create_budget(
            AccountId=self.session.account(), Budget={**budget, "BudgetLimit": limit},
            NotificationsWithSubscribers=mails, ResourceTags=self.tags,
        )  # fmt: skip

    def owner(self, name: str) -> bool | None:
        """By what it filters: to read its tags would be one more right."""
        budget = asked(self.api.describe_budget, AccountId=self.session.account(), BudgetName=name)
        if budget is None:
            return None
        tags = budget["Budget"].get("CostFilters", {}).get("TagKeyValue", [])
        return tags == [f"user:{TAG}${self.name}"]

    def names(self) -> list[str]:
        name = regional(self.name, self.session.region)
        return [name] if self.owner(name) else []

    def remove(self, name: str) -> None:
        asked(self.api.delete_budget, AccountId=self.session.account(), BudgetName=name)


class TopicPart(AwsPart):
    service = "sns"

    def make(self, resource: AwsResource) -> None:
        arn = self.api.create_topic(Name=resource.name, Tags=self.tags)["TopicArn"]
        mails = resource.properties["Subscription"]
        self._unsubscribe(arn, but=[mail["Endpoint"] for mail in mails])
        for mail in mails:
            self.api.subscribe(TopicArn=arn, **mail)

    def _unsubscribe(self, arn: str, but: list[str]) -> None:
        """All but these. An address that never said yes gets nothing, and its question lapses."""
        for page in self.api.get_paginator("list_subscriptions_by_topic").paginate(TopicArn=arn):
            for mail in page["Subscriptions"]:
                if mail["SubscriptionArn"].startswith("arn:") and mail["Endpoint"] not in but:
                    self.api.unsubscribe(SubscriptionArn=mail["SubscriptionArn"])

    def owner(self, name: str) -> bool | None:
        arns = self.topics(name)
        return self.topic_is_ours(arns[0]) if arns else None

    def names(self) -> list[str]:
        return [arn for arn in self.topics(self.name) if self.topic_is_ours(arn)]

    def remove(self, name: str) -> None:
        self._unsubscribe(name, but=[])
        self.api.delete_topic(TopicArn=name)


class BucketPart(AwsPart):
    service, untagged = "s3", True

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

    def owner(self, name: str) -> bool | None:
        """Its tag comes by a call of its own: until then it is empty, and our topic is there."""
        try:
            if asked(self.api.head_bucket, Bucket=name) is None:
                return None
        except ClientError as error:
            if error.response["Error"]["Code"] == "403":  # it is in another account
                return False
            raise
        tags = (asked(self.api.get_bucket_tagging, Bucket=name) or {}).get("TagSet", [])
        if tags:
            return self.ours(tags)
        return "Contents" not in self.api.list_objects_v2(Bucket=name, MaxKeys=1) and self.deployed()

    def names(self) -> list[str]:
        name = bucket_of(self.name, self.session.account(), self.session.region)
        return [name] if self.owner(name) else []

    def remove(self, name: str) -> None:
        for page in self.api.get_paginator("list_objects_v2").paginate(Bucket=name):
            keys = [{"Key": item["Key"]} for item in page.get("Contents", [])]
            if keys:
                self.api.delete_objects(Bucket=name, Delete={"Objects": keys})
        asked(self.api.delete_bucket, Bucket=name)


class LogGroupPart(AwsPart):
    service, untagged = "logs", True

    def make(self, resource: AwsResource) -> None:
        if not self.names():
            self.api.create_log_group(logGroupName=resource.name, tags={TAG: self.name})
        days = resource.properties["RetentionInDays"]
        self.api.put_retention_policy(logGroupName=resource.name, retentionInDays=days)

    def owner(self, name: str) -> bool | None:
        """One that the endpoint has made, because ours was removed, has no tag."""
        groups = self.api.describe_log_groups(logGroupNamePrefix=name)["logGroups"]
        for group in groups:
            if group["logGroupName"] == name:
                arn = group["arn"].removesuffix(":*")
                tags = self.api.list_tags_for_resource(resourceArn=arn)["tags"]
                return tags.get(TAG) == self.name if TAG in tags else self.deployed()
        return None

    def names(self) -> list[str]:
        name = f"/aws/sagemaker/Endpoints/{self.name}"
        return [name] if self.owner(name) else []

    def remove(self, name: str) -> None:
        asked(self.api.delete_log_group, logGroupName=name)


class RolePart(AwsPart):
    service = "iam"

    def make(self, resource: AwsResource) -> None:
        name, properties = resource.name, resource.properties
        if not self.names():
            trust = json.dumps(properties["AssumeRolePolicyDocument"])
            self.api.create_role(RoleName=name, AssumeRolePolicyDocument=trust, Tags=self.tags)
        for policy in properties["Policies"]:
            document = json.dumps(policy["PolicyDocument"])
            self.api.put_role_policy(RoleName=name, PolicyName=policy["PolicyName"], PolicyDocument=document)

    def owner(self, name: str) -> bool | None:
        there = asked(self.api.get_role, RoleName=name)
        return self.ours(there["Role"].get("Tags", [])) if there else None

    def names(self) -> list[str]:
        name = regional(self.name, self.session.region)
        return [name] if self.owner(name) else []

    def remove(self, name: str) -> None:
        for policy in self.api.list_role_policies(RoleName=name)["PolicyNames"]:
            self.api.delete_role_policy(RoleName=name, PolicyName=policy)
        asked(self.api.delete_role, RoleName=name)


class AlarmPart(AwsPart):
    service, ending = "cloudwatch", "--[a-z0-9]+-(errors|idle)"

    def make(self, resource: AwsResource) -> None:
        self.api.put_metric_alarm(**resource.properties, Tags=self.tags)

    def _tagged(self, alarm: dict) -> bool:
        return self.ours(self.api.list_tags_for_resource(ResourceARN=alarm["AlarmArn"])["Tags"])

    def owner(self, name: str) -> bool | None:
        for alarm in self.api.describe_alarms(AlarmNames=[name])["MetricAlarms"]:
            return self._tagged(alarm)
        return None

    def names(self) -> list[str]:
        pages = self.api.get_paginator("describe_alarms").paginate(AlarmNamePrefix=f"{self.name}--")
        alarms = [alarm for page in pages for alarm in page["MetricAlarms"]]
        return [
            alarm["AlarmName"] for alarm in alarms if self.named(alarm["AlarmName"]) and self._tagged(alarm)
        ]

    def remove(self, name: str) -> None:
        self.api.delete_alarms(AlarmNames=[name])
