"""AWS's clients read nothing of this machine's: with a real profile set in HOME and in the environment."""

import os
import subprocess
import sys

import pytest

from fsdl_deploy.managed import sagemaker_clients
from fsdl_deploy.managed.aws_session import NOBODY

# Whatever is opened or listed under the fake home is printed; then what the client would sign with.
PROBE = """
import os, sys
home = os.environ["HOME"]
def seen(event, args):
    if event in ("open", "os.listdir", "os.scandir") and str(args[0]).startswith(home):
        print("TOUCHED", args[0])
sys.addaudithook(seen)
from fsdl_deploy.managed.sagemaker_clients import client
asking = client("sagemaker", "http://127.0.0.1:9")
signer = asking._request_signer._credentials
print(signer.access_key, signer.secret_key, signer.token)
print(asking.meta.endpoint_url, asking.meta.region_name, asking._client_config.retries["total_max_attempts"])
try:
    asking.list_models()
except Exception as error:
    print(type(error).__name__, error)
"""


@pytest.fixture
def company(tmp_path):
    """A machine with a real profile: files in HOME, and each variable that boto3 reads."""
    folder = tmp_path / ".aws"
    (folder / "models").mkdir(parents=True)
    (folder / "config").write_text(
        "[default]\nregion = eu-central-1\nendpoint_url = http://127.0.0.2:1\n[profile company]\n"
    )
    (folder / "credentials").write_text(
        "[default]\naws_access_key_id = REALKEY\naws_secret_access_key = real\naws_session_token = token\n"
    )
    return {
        "HOME": str(tmp_path),
        "USERPROFILE": str(tmp_path),
        "AWS_PROFILE": "company",
        "AWS_ACCESS_KEY_ID": "REALKEY",
        "AWS_SECRET_ACCESS_KEY": "real",
        "AWS_SESSION_TOKEN": "token",
        "AWS_ENDPOINT_URL": "http://127.0.0.2:1",
        "AWS_ENDPOINT_URL_SAGEMAKER": "http://127.0.0.2:1",
        "AWS_DEFAULT_REGION": "eu-central-1",
        "AWS_REGION": "eu-central-1",
        "AWS_CA_BUNDLE": str(tmp_path / "missing.pem"),
        "AWS_MAX_ATTEMPTS": "9",
        "AWS_USE_FIPS_ENDPOINT": "true",
        "HTTP_PROXY": "http://127.0.0.2:1",
        "http_proxy": "http://127.0.0.2:1",
    }


def probe(company) -> list[str]:
    words = [sys.executable, "-c", PROBE]
    ended = subprocess.run(words, env=os.environ | company, capture_output=True, text=True, timeout=120)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout.splitlines()


def test_a_real_profile_is_neither_read_nor_used(company):
    lines = probe(company)
    assert not [line for line in lines if line.startswith("TOUCHED")]
    assert lines[0] == f"{NOBODY} nothing None"
    assert lines[1] == "http://127.0.0.1:9 us-east-1 1"
    assert lines[2].startswith("EndpointConnectionError") and "127.0.0.1:9" in lines[2]
    assert "REALKEY" not in "".join(lines)


def test_the_probe_would_see_a_client_of_the_usual_kind(company):
    """A test that cannot fail proves nothing: boto3 itself reads the profile."""
    company = {name: value for name, value in company.items() if name != "AWS_PROFILE"}
    usual = PROBE.replace(
        "from fsdl_deploy.managed.sagemaker_clients import client", "from boto3 import client as make"
    ).replace('client("sagemaker", "http://127.0.0.1:9")', 'make("sagemaker")')
    usual = usual.partition("try:")[0]
    words = [sys.executable, "-c", usual]
    printed = subprocess.run(
        words, env=os.environ | company, capture_output=True, text=True, timeout=120
    ).stdout
    assert "TOUCHED" in printed


@pytest.mark.parametrize(
    "address",
    ["https://sagemaker.us-east-1.amazonaws.com", "http://10.0.0.1:5000", "http://127.0.0.1.evil.org"],
)
def test_another_machine_is_never_asked(address):
    with pytest.raises(ValueError, match="not on this machine"):
        sagemaker_clients.client("sagemaker", address)
