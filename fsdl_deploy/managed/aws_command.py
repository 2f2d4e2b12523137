"""An endpoint on AWS or an emulator: ``fsdl-deploy managed aws deploy``, and ``status``, and ``destroy``

No profile of this machine is read unless ``--profile`` names it. What it makes: ``infra/managed/aws``.
"""

import argparse
import math
import sys
from pathlib import Path

from fsdl_deploy.managed.aws_session import AwsSession
from fsdl_deploy.managed.infrastructure_settings import (
    FILE,
    EndpointSettings,
    InfrastructureError,
    settings,
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "action", metavar="ACTION", choices=("deploy", "status", "destroy"), help="deploy, status or destroy"
    )
    parser.add_argument("--endpoint-url", metavar="ADDRESS", help="of an emulator; leave it out for AWS")
    parser.add_argument("--profile", metavar="NAME", help="your profile, for AWS: it costs money")
    parser.add_argument("--settings", type=Path, default=FILE, metavar="FILE", help="what the endpoint is")
    parser.add_argument("--name", help="another name than that of the settings, also as the tag")
    parser.add_argument(
        "--variants", nargs="+", metavar="NAME=SHARE", help="others than those of the settings"
    )
    parser.add_argument("--yes", action="store_true", help="do not ask before it costs money")


def variants_of(words: list[str]) -> dict[str, float]:
    """From words such as ``v1=9``. Raises InfrastructureError."""
    variants: dict[str, float] = {}
    for word in words:
        name, _, share = word.partition("=")
        try:
            variants[name] = float(share)
        except ValueError:
            raise InfrastructureError(f"--variants: {word!r} is not NAME=SHARE, such as v1=9") from None
    if len(variants) < len(words):
        raise InfrastructureError("--variants: a name stands there twice")
    return variants


def main(arguments: argparse.Namespace) -> int:
    """0 when it is done; 1 when something failed, is left, or was not agreed to."""
    from botocore.exceptions import BotoCoreError, ClientError

    changed = {} if arguments.name is None else {"name": arguments.name}
    if arguments.variants:
        changed["variants"] = variants_of(arguments.variants)
    plan = settings(arguments.settings, **changed)
    session = AwsSession(plan.region, arguments.endpoint_url, arguments.profile)
    try:
        return _ACTIONS[arguments.action](session, plan, arguments.yes)
    except (BotoCoreError, ClientError) as error:
        raise RuntimeError(f"{error}{_advice(arguments.action, session)}") from None


def _advice(action: str, session: AwsSession) -> str:
    if session.endpoint_url:
        return ""
    return " (`destroy` takes back what was made so far)" if action == "deploy" else ""


def _deploy(session: AwsSession, plan: EndpointSettings, yes: bool) -> int:
    from fsdl_deploy.managed import aws_endpoint

    print(aws_endpoint.price_said(plan))
    if not yes and not _agreed():
        print("Nothing was made.", file=sys.stderr)
        return 1
    aws_endpoint.deploy(session, plan)
    print(f"{plan.name} is in service. `fsdl-deploy managed aws destroy` ends what it costs.")
    return 0


def _agreed() -> bool:
    if not sys.stdin.isatty():
        print("Nobody can be asked here: --yes agrees to the price.", file=sys.stderr)
        return False
    return input("Deploy it? [y/N] ").strip().lower() in ("y", "yes")


def _status(session: AwsSession, plan: EndpointSettings, yes: bool) -> int:
    from fsdl_deploy.managed import aws_endpoint

    print(aws_endpoint.status(session, plan))
    return 0


def _destroy(session: AwsSession, plan: EndpointSettings, yes: bool) -> int:
    from fsdl_deploy.managed import aws_endpoint

    before = aws_endpoint.status(session, plan)
    left = aws_endpoint.destroy(session, plan.name)
    if before.state:
        usd = "" if math.isnan(before.cost) else f" and cost about {before.cost:.2f} USD"
        print(f"It ran for {before.hours:.1f} h{usd}.")
    if left:
        print("LEFT, and it may cost money:", *(f"  {kind} {name}" for kind, name in left), sep="\n")
        return 1
    print(f"Nothing of {plan.name} is left in {plan.region}.")
    return 0


_ACTIONS = {"deploy": _deploy, "status": _status, "destroy": _destroy}
