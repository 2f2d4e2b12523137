"""AWS's own clients, for servers of this machine: they read no profile, no credentials and no settings

boto3 looks into ``~/.aws``, into a dozen variables and at the address of a cloud's machine. Here it looks at
nothing: each setting that it would search for has the value that stands here. Knows nothing of SageMaker.
"""

import os
from urllib.parse import urlsplit

import boto3
from botocore.config import Config
from botocore.loaders import Loader
from botocore.session import Session

REGION = "us-east-1"
ACCOUNT = "123456789012"  # AWS's own number for examples
SECONDS = 70  # a model may take 60 s, and AWS asks its clients to wait for 70
_SET = {"config_file": os.devnull, "credentials_file": os.devnull, "region": REGION}


def session() -> boto3.Session:
    """A session of "nobody", which takes neither from files nor from variables."""
    fixed = {
        name: (None, None, _SET.get(name, default), conversion)
        for name, (_, _, default, conversion) in Session.SESSION_VARIABLES.items()
    }
    below = Session(session_vars=fixed)
    known = Loader(extra_search_paths=[Loader.BUILTIN_DATA_PATH], include_default_search_paths=False)
    below.register_component("data_loader", known)  # the usual one also looks into ~/.aws/models
    return boto3.Session(
        aws_access_key_id="nobody",
        aws_secret_access_key="nothing",
        region_name=REGION,
        botocore_session=below,
    )


def client(service: str, address: str, attempts: int = 1):
    """AWS's client of ``service`` at an address of this machine. Raises ValueError for any other address.

    ``attempts``: how often a call is tried in all where it fails.
    """
    if urlsplit(address).hostname not in ("127.0.0.1", "localhost"):
        raise ValueError(f"{address} is not on this machine: from here only a stand-in is asked")
    config = Config(
        retries={"total_max_attempts": attempts, "mode": "standard"},
        read_timeout=SECONDS,
        connect_timeout=10,
        proxies={},
        max_pool_connections=64,
    )
    return session().client(service, endpoint_url=address, config=config)
