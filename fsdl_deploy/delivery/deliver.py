"""``fsdl-deploy delivery deliver NAME``: train → evaluate → sign → package → canary → promote, one command

What a gate refuses goes no further: the former release is served until the last step, which is one rename.
Killed at any moment, the same command goes on behind the last gate that was passed. A refusal is final: what
is wrong is mended under a new name, so that nobody tries a gate again until it opens by luck.
"""

import json
import shutil
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass, field
from pathlib import Path

from fsdl_deploy import files
from fsdl_deploy.delivery import gates as delivery_gates
from fsdl_deploy.delivery import package as delivery_package
from fsdl_deploy.delivery import releases
from fsdl_deploy.delivery.gates import Commit, GateWork
from fsdl_deploy.measuring.table import Table
from fsdl_deploy.paths import BUILD
from fsdl_deploy.running import locks

Gate = Callable[[GateWork], dict]
"""Looks at what the gates before left in ``work.folder``; returns what it saw, or raises GateRefusal."""

GATES: dict[str, Gate] = {
    "train": delivery_gates.train,
    "evaluate": delivery_gates.evaluate,
    "sign": delivery_gates.sign,
    "package": delivery_gates.package,
    "canary": delivery_gates.canary,
    "promote": delivery_gates.promote,
}
STATE = "state.json"
REFUSALS = (delivery_gates.GateRefusal, delivery_package.PackageError, releases.ReleaseError)


class DeliveryError(RuntimeError):
    """A delivery was refused, or cannot begin; the message says by which gate, and why."""


@dataclass
class Delivery:
    """How far a delivery is: what each gate saw, and the refusal if there is one."""

    commit: str
    champion: str | None
    passed: dict[str, dict] = field(default_factory=dict)
    refused: dict | None = None


def deliver(
    store: Path,
    name: str,
    commit: Commit,
    key: bytes,
    gates: Mapping[str, Gate] = GATES,
    until: str = "promote",
) -> Delivery:
    """Take ``commit`` through the gates, from where an earlier run of it ended, to ``until``.

    Raises DeliveryError where a gate refuses, did so before, or where another delivery is at work.
    """
    if until not in gates:
        raise ValueError(f"there is no gate {until!r}: they are {', '.join(gates)}")
    folder = store / "deliveries" / releases.named(name)
    folder.mkdir(parents=True, exist_ok=True)
    with _alone(store):
        delivery = _begun(folder, store, name, commit)
        if delivery.refused:
            raise DeliveryError(
                "{gate} refused it before: {why}; deliver a new one".format(**delivery.refused)
            )
        if "promote" in delivery.passed and name in releases.serving(store).withdrawn:
            raise DeliveryError(
                f"{name} was promoted and rolled back; deliver what is mended under a new name"
            )
        work = GateWork(store, name, folder, commit, delivery.champion, key, delivery.passed)
        for gate, look in gates.items():
            if gate not in delivery.passed:
                try:
                    delivery.passed[gate] = look(work)
                except REFUSALS as why:
                    delivery.refused = {"gate": gate, "why": str(why)}
                    _keep(folder, delivery)
                    raise DeliveryError(f"{gate} refuses {name}: {why}") from None
                _keep(folder, delivery)
            if gate == until:
                break
    return delivery


def forget(store: Path, name: str) -> None:
    """Forget an earlier delivery of this name, unless it was promoted."""
    if name in (serving := releases.serving(store)).former or name == serving.release:
        raise DeliveryError(f"{name} is served, or was: choose another name")
    shutil.rmtree(store / "deliveries" / releases.named(name), ignore_errors=True)
    shutil.rmtree(releases.home(store, name), ignore_errors=True)


def table(store: Path) -> Table:
    """Each delivery of ``store``: the gates that it passed, and which refused it."""
    serving, rows = releases.serving(store), []
    for file in sorted((store / "deliveries").glob(f"*/{STATE}")):
        try:
            delivery = _read(file)
        except DeliveryError as damaged:
            rows.append([file.parent.name, "", "", str(damaged)])
            continue
        refused = "{gate}: {why}".format(**delivery.refused) if delivery.refused else ""
        now = "served" if file.parent.name == serving.release else ""
        now = now or ("rolled back" if file.parent.name in serving.withdrawn else "")
        rows.append([file.parent.name, ", ".join(delivery.passed), refused, now])
    return Table(["delivery", "passed", "refused by", "now"], *rows)


def _alone(store: Path) -> AbstractContextManager:
    refusal = DeliveryError(f"another delivery is at work in {store}: wait until it has ended")
    return locks.alone(store / "deliver.lock", refusal)


def _read(file: Path) -> Delivery:
    """The delivery that ``_keep`` wrote. Raises FileNotFoundError, and DeliveryError for a damaged file."""
    try:
        delivery = Delivery(**json.loads(file.read_text(encoding="utf-8")))
        if not isinstance(delivery.passed, dict) or not isinstance(delivery.commit, str):
            raise ValueError("fields of other kinds")
        if delivery.refused is not None:
            "{gate}: {why}".format(**delivery.refused)
    except (ValueError, TypeError, KeyError):
        raise DeliveryError(f"{file} is damaged: deliver under a new name") from None
    return delivery


def _begun(folder: Path, store: Path, name: str, commit: Commit) -> Delivery:
    """The delivery as an earlier run left it, or a new one against what is served now."""
    try:
        delivery = _read(folder / STATE)
    except FileNotFoundError:
        serving = releases.serving(store)
        if releases.home(store, name).exists():
            raise DeliveryError(f"there is a release {name} already: choose another name") from None
        delivery = Delivery(repr(commit), serving.release)
        _keep(folder, delivery)
    if delivery.commit != repr(commit):
        raise DeliveryError(f"{name} was begun with another commit: choose another name")
    return delivery


def _keep(folder: Path, delivery: Delivery) -> None:
    files.write(folder / STATE, json.dumps(asdict(delivery), indent=1), durable=True)


def add_arguments(parser) -> None:
    parser.add_argument("name", nargs="?", metavar="NAME", help="what the new release is called")
    parser.add_argument("--trained", metavar="VERSION", help="deliver this version of models/, train nothing")
    parser.add_argument(
        "--cards", type=int, default=500, metavar="COUNT", help="cards of each level in the evaluation"
    )
    parser.add_argument("--levels", nargs="+", default=["typical", "hard"], help="levels of these cards")
    parser.add_argument("--until", choices=list(GATES), default="promote", help="stop behind this gate")
    parser.add_argument("--store", metavar="FOLDER", default=str(BUILD / "delivery"), help="the releases")
    parser.add_argument("--key", metavar="FILE", help="the secret of the seals (default: FOLDER.key)")
    parser.add_argument("--fresh", action="store_true", help="forget an earlier delivery of this name")
    parser.add_argument("--rollback", action="store_true", help="serve the former release again")
    parser.add_argument("--status", action="store_true", help="say what is served, and what was refused")


def main(args) -> int:
    store = Path(args.store)
    key = releases.secret(Path(args.key) if args.key else store.with_name(f"{store.name}.key"))
    if args.rollback:
        store.mkdir(parents=True, exist_ok=True)
        with _alone(store):
            now = releases.roll_back(store)
        print(f"{now.release} is served again, {now.withdrawn[-1]} is not")
        return 0
    if args.status:
        print(f"served: {releases.serving(store).release or 'nothing yet'}")
        print(table(store))
        return 0
    if not args.name:
        raise ValueError("give the new release a name, or say --status or --rollback")
    if args.fresh:
        forget(store, args.name)
    ready = {"trained": args.trained, "packaging": delivery_package.published(args.trained)}
    commit = Commit(cards=args.cards, levels=tuple(args.levels), **(ready if args.trained else {}))
    delivery = deliver(store, args.name, commit, key, until=args.until)
    for gate, result in delivery.passed.items():
        print(f"{gate:8} {result['summary']}")
    print(f"served: {releases.serving(store).release or 'nothing yet'}")
    return 0
