"""AWS's own clients, for servers of this machine: they read no profile, no credentials and no settings

boto3 looks into ``~/.aws``, into a dozen variables and at the address of a cloud's machine. Here it looks at
nothing: each setting that it would search for has the value that stands here. Knows nothing of SageMaker.
"""

from urllib.parse import urlsplit

from botocore.config import Config

from fsdl_deploy.managed.aws_session import nobody

REGION = "us-east-1"
ACCOUNT = "123456789012"  # AWS's own number for examples
SECONDS = 70  # a model may take 60 s, and AWS asks its clients to wait for 70


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
    return nobody(REGION).client(service, endpoint_url=address, config=config)
