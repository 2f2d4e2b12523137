"""Deploy two versions of a function and send a tenth of the calls to the new one, by AWS's API.

    python deploy.py http://127.0.0.1:5000

The address is a stand-in's (moto). The credentials say "nobody", and no profile of this machine's is read:
its files and variables are put aside before boto3 is imported, and so is a proxy, which could not reach this
machine. Prints what the API answers, as JSON.
"""

import io
import json
import os
import sys
import zipfile
from urllib.parse import urlsplit

for name in list(os.environ):
    if name.startswith(("AWS_", "BOTO_")) or name.lower().endswith("_proxy"):
        del os.environ[name]
os.environ |= {
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    "BOTO_CONFIG": os.devnull,
    "AWS_EC2_METADATA_DISABLED": "true",
}

import boto3  # noqa: E402 - what it would read at its import is put aside above

NAME, ALIAS = "reader", "live"


def client(service: str, address: str):
    """AWS's client of a service at an address of this machine. Raises ValueError for any other."""
    if urlsplit(address).hostname not in ("127.0.0.1", "localhost"):
        raise ValueError(f"{address} is not on this machine: this program deploys to a stand-in only")
    session = boto3.Session(
        aws_access_key_id="nobody", aws_secret_access_key="nothing", region_name="us-east-1"
    )
    return session.client(service, endpoint_url=address)


def package(version: str) -> bytes:
    """A zip with a handler; the stand-in keeps it and never runs it."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("app.py", f"def handler(event, context):\n    return {version!r}\n")
    return content.getvalue()


def deploy(address: str) -> dict:
    """Two versions, an alias for the old one with a tenth of the calls for the new one, and back."""
    role = client("iam", address).create_role(RoleName=NAME, AssumeRolePolicyDocument="{}")["Role"]["Arn"]
    functions = client("lambda", address)
    functions.create_function(
        FunctionName=NAME,
        Runtime="python3.11",
        Role=role,
        Handler="app.handler",
        MemorySize=1769,
        Code={"ZipFile": package("v1")},
    )
    old = functions.publish_version(FunctionName=NAME)["Version"]
    functions.update_function_code(FunctionName=NAME, ZipFile=package("v2"))
    new = functions.publish_version(FunctionName=NAME)["Version"]
    split = {"AdditionalVersionWeights": {new: 0.1}}
    alias = functions.create_alias(FunctionName=NAME, Name=ALIAS, FunctionVersion=old, RoutingConfig=split)
    back = functions.update_alias(
        FunctionName=NAME, Name=ALIAS, FunctionVersion=old, RoutingConfig={"AdditionalVersionWeights": {}}
    )
    fields = ("Name", "FunctionVersion", "RoutingConfig")
    return {
        "versions": [old, new],
        "canary": {field: alias.get(field) for field in fields},
        "rolled_back": {field: back.get(field) for field in fields},
    }


if __name__ == "__main__":
    print(json.dumps(deploy(sys.argv[1])))
