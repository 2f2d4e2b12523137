"""AWS's clients: of an emulator, with nobody's credentials; or of an account, by a profile that is named

Nothing of this machine's own settings for AWS is read unless a profile is named: no file below ``~/.aws``, no
variable ``AWS_…``, no proxy, no metadata of an instance. So a lesson cannot spend a student's money.
"""

import functools
import os
from dataclasses import dataclass, field
from urllib.parse import urlsplit

NOBODY = "AKIANOBODYNOBODYNOBO"  # an access key of the form that AWS's have; no secret of anybody's


class SessionError(ValueError):
    """Neither an emulator nor a profile is named, or both; the message says what to do."""


@dataclass(frozen=True)
class AwsSession:
    """``client(service)`` for one region; ``endpoint_url`` is an emulator's, or ``profile`` is the user's.

    Raises SessionError unless exactly one of both is given.
    """

    region: str
    endpoint_url: str | None = None
    profile: str | None = None
    _boto: object = field(init=False, repr=False, compare=False)
    _clients: dict = field(init=False, repr=False, compare=False, default_factory=dict)

    def __post_init__(self):
        if bool(self.endpoint_url) == bool(self.profile):
            raise SessionError(
                "Say where: --endpoint-url ADDRESS for an emulator (nobody's credentials), or --profile NAME "
                "for your account (it costs money); not both, and none is taken from the environment"
            )
        if self.endpoint_url and not _is_address(self.endpoint_url):
            raise SessionError(
                f"--endpoint-url: {self.endpoint_url!r} is no address such as http://127.0.0.1:5000"
            )
        object.__setattr__(self, "_boto", self._of_profile() if self.profile else nobody(self.region))

    def _of_profile(self):
        import boto3
        from botocore.exceptions import ProfileNotFound

        try:
            return boto3.Session(profile_name=self.profile, region_name=self.region)
        except ProfileNotFound as error:
            raise SessionError(f"--profile: {error}") from None

    def client(self, service: str):
        """boto3's client of a service, made once."""
        if service not in self._clients:
            from botocore.config import Config

            # Three tries, as AWS asks of its clients; an emulator's address is never sent by way of a proxy.
            direct = {"proxies": {}} if self.endpoint_url else {}
            path_style = {"s3": {"addressing_style": "path"}} if self.endpoint_url else {}
            config = Config(retries={"total_max_attempts": 3, "mode": "standard"}, **direct, **path_style)
            self._clients[service] = self._boto.client(service, endpoint_url=self.endpoint_url, config=config)
        return self._clients[service]

    def before_each_call(self, look) -> None:
        """Call ``look(action)``, such as ``sagemaker:CreateModel``, before each call of later clients."""

        def hook(model, **_):
            look(f"{model.service_model.signing_name}:{model.name}")

        self._boto.events.register("before-call.*.*", hook)

    def account(self) -> str:
        """The number of the account."""
        return self.client("sts").get_caller_identity()["Account"]


def _is_address(text: str) -> bool:
    try:
        parts = urlsplit(text)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


@functools.cache
def _loader():
    """What is known of AWS's calls, read once; the usual loader also looks into ``~/.aws/models``."""
    from botocore.loaders import Loader

    return Loader(extra_search_paths=[Loader.BUILTIN_DATA_PATH], include_default_search_paths=False)


def nobody(region: str, key: str = NOBODY, secret: str = "nothing"):
    """A session of boto3 that knows nothing of this machine."""
    import boto3
    from botocore import session as botocore_session

    # Each variable of the environment that botocore reads, by its own table, is taken out of that table.
    known = botocore_session.Session.SESSION_VARIABLES
    blind = {name: (None, None, default, conversion) for name, (_, _, default, conversion) in known.items()}
    files = dict.fromkeys(("config_file", "credentials_file"), (None, None, os.devnull, None))
    core = botocore_session.Session(session_vars=blind | files)
    core.set_config_variable("ignore_configured_endpoint_urls", True)
    core.register_component("data_loader", _loader())
    return boto3.Session(key, secret, region_name=region, botocore_session=core)
