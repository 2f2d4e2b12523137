"""Recorded answers: what several versions have read on the same customers' cards, and how long it took

``fsdl-deploy rollouts answers`` records those of further versions. With them a rollout is replayed a thousand
times without a server. Knows nothing of rollouts.
"""

import argparse
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from fsdl_deploy import files
from fsdl_deploy.measuring import progress, records
from fsdl_deploy.paths import ROOT
from fsdl_deploy.reading import Reader
from fsdl_deploy.rollouts.guardrails import AnswerPair, Seen
from fsdl_deploy.rollouts.meters import Meter
from fsdl_deploy.rollouts.utility import Utility

RECORD = ROOT / "infra/rollouts/answers/recorded.json"
STABLE = "v2"
CUSTOMERS, SEED = 6000, 21


class AnswersError(ValueError):
    """A file of answers is missing, is none, or has no such version; the message says what to do."""


@dataclass(frozen=True)
class Answers:
    """Cards of one utility's customers: from which camera, what is on them, and who has read what.

    ``versions``: name -> an answer to each card, in their order.
    """

    cameras: list[str]
    truths: list[str]
    meters: list[Meter]
    versions: dict[str, list[Seen]]

    def pairs(self, candidate: str, stable: str = STABLE) -> list[AnswerPair]:
        """Both versions' answers to each card, with the truth. Raises AnswersError for an unknown version."""
        for name in (candidate, stable):
            if name not in self.versions:
                known = ", ".join(self.versions)
                raise AnswersError(f"there are no answers of {name!r}: record them; these are there: {known}")
        columns = (self.versions[candidate], self.versions[stable], self.cameras, self.meters, self.truths)
        return [AnswerPair(*values) for values in zip(*columns, strict=True)]

    def with_version(self, name: str, answers: Sequence[Seen]) -> "Answers":
        """The same cards with the answers of one version more."""
        if len(answers) != len(self.truths):
            raise AnswersError(f"{len(answers)} answers of {name} to {len(self.truths)} cards")
        return replace(self, versions=self.versions | {name: list(answers)})

    def save(self, path: Path, **about) -> None:
        """Write them as a record; ``about``: what stands in it beside date and machine."""
        versions = {
            name: [[seen.digits, seen.confidence, seen.seconds, int(seen.failed)] for seen in answers]
            for name, answers in self.versions.items()
        }
        meters = [[meter.register, meter.last, meter.usual] for meter in self.meters]
        content = {"cameras": self.cameras, "truths": self.truths, "meters": meters, "versions": versions}
        lines = [
            f'"{key}": {json.dumps(value)}' for key, value in (records.stamp() | about | content).items()
        ]
        files.write(path, "{" + ",\n".join(lines) + "}\n")


def load(path: Path = RECORD) -> Answers:
    """Answers as ``save`` wrote them. Raises AnswersError with a sentence for a file that holds none."""
    try:
        saved = json.loads(path.read_text(encoding="utf-8"))
        versions = {
            name: [
                Seen(digits, confidence, seconds, bool(failed))
                for digits, confidence, seconds, failed in answers
            ]
            for name, answers in saved["versions"].items()
        }
        answers = Answers(
            saved["cameras"], saved["truths"], [Meter(*each) for each in saved["meters"]], versions
        )
        if {len(each) for each in versions.values()} | {len(answers.truths)} != {len(answers.cameras)}:
            raise ValueError("columns of several lengths")
    except FileNotFoundError:
        raise AnswersError(
            f"there is no file of answers {path}: `fsdl-deploy rollouts answers` writes it"
        ) from None
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        raise AnswersError(
            f"{path} holds no recorded answers: write it with `fsdl-deploy rollouts answers`"
        ) from None
    return answers


def read_all(readers: Mapping[str, Reader], customers: int = CUSTOMERS, seed: int = SEED) -> Answers:
    """Let each reader read the card of each customer, one after another, and note how long each takes."""
    cameras, truths, meters = [], [], []
    versions: dict[str, list[Seen]] = {name: [] for name in readers}
    with progress.bar(customers, "answers", "card") as bar:
        for sent in Utility(customers, seed):
            cameras.append(sent.camera)
            truths.append(sent.card.truth)
            meters.append(replace(sent.meter, usual=round(sent.meter.usual, 2)))
            for name, reader in readers.items():
                versions[name].append(_seen(reader, sent.card.image))
            bar.update(1)
    return Answers(cameras, truths, meters, versions)


def _seen(reader: Reader, image: np.ndarray) -> Seen:
    begin = time.perf_counter()
    (reading,) = reader.read([image])
    return Seen(reading.digits, round(float(reading.confidence), 3), round(time.perf_counter() - begin, 5))


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", type=files.output, metavar="FILE", help="where to write the answers, as JSON")
    parser.add_argument(
        "--versions", nargs="+", default=["v2", "v3-bad"], help="models; FSDL_MODELS names their folder"
    )
    parser.add_argument("--customers", type=int, default=CUSTOMERS, help="cards that each of them reads")
    parser.add_argument("--seed", type=int, default=SEED, help="other customers by another seed")


def main(arguments: argparse.Namespace) -> int:
    """Record the answers of models. Raises WeightsError for one that is not there."""
    from fsdl_deploy.reader import OnnxReader

    readers = {version: OnnxReader(version) for version in arguments.versions}
    read_all(readers, arguments.customers, arguments.seed).save(arguments.file, seed=arguments.seed)
    print(f"answers of {', '.join(readers)} to {arguments.customers} cards in {arguments.file}")
    return 0
