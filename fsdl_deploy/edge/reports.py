"""What a server learns of models that it cannot see: when few devices report, and each only a little

A service sees every request. Of models on devices it sees what devices report: here one bit a day, whether
the model was *unsure* of too many cards. A rare fault is seen only if a device that has it is among those
that report. With *randomized response* (S. Warner 1965) each bit is flipped by chance before it leaves the
device, so that nobody can be accused by it, and the share of all can be computed all the same.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from fsdl_deploy.measuring.accuracy import wilson
from fsdl_deploy.measuring.table import Table


def unseen(devices: int, faulty: float, reporting: float) -> float:
    """The probability that not one device with the fault reports: each reports by chance, 0 to 1."""
    return (1 - reporting) ** round(devices * faulty)


def reporting_needed(devices: int, faulty: float, seen: float = 0.95) -> float:
    """The share of devices that must report, for the fault to be among them with probability ``seen``."""
    return 1 - (1 - seen) ** (1 / max(1, round(devices * faulty)))


@dataclass(frozen=True)
class Learned:
    """What the server knows: ``reports`` came, and the share of unsure devices is ``share`` (low to high)."""

    reports: int
    share: float
    low: float
    high: float


def learned(unsure: np.ndarray) -> Learned:
    """From true bits, bool ``[reports]``. Raises ValueError where there are none."""
    low, high = wilson(int(unsure.sum()), len(unsure))
    return Learned(len(unsure), float(unsure.mean()), max(0.0, low), min(1.0, high))


def table(known: Mapping[str, Learned]) -> Table:
    """What a server learned, by who reported or how: the share of unsure devices and its interval."""
    rows = [[name, of.reports, of.share, of.low, of.high] for name, of in known.items()]
    header = ["who reports", "reports", "unsure devices", "95 % interval, from", "to"]
    return Table(header, *rows, formats=["", ",", ".1%", ".1%", ".1%"])


def flipped(unsure: np.ndarray, epsilon: float, seed: int = 0) -> np.ndarray:
    """The bits as they leave the devices: true with probability e^ε / (1 + e^ε), else the other one.

    ``epsilon``: how much one report may tell of its device (local differential privacy, C. Dwork et al.
    2006): 0 says nothing, and from about 5 on hardly any bit is flipped. Raises ValueError below 0.
    """
    if not epsilon >= 0:
        raise ValueError(f"epsilon is 0 or more, not {epsilon}")
    return unsure ^ (np.random.default_rng(seed).random(len(unsure)) >= truthful(epsilon))


def learned_from_flipped(bits: np.ndarray, epsilon: float) -> Learned:
    """The share of unsure devices behind flipped bits; its interval is wider, and cut to 0 to 1.

    Raises ValueError for epsilon 0, which says nothing.
    """
    if not epsilon > 0:
        raise ValueError("with epsilon 0 every bit is a coin's: nothing can be learned from them")
    true = truthful(epsilon)
    ends = [bits.mean(), *wilson(int(bits.sum()), len(bits))]
    share, low, high = (min(1.0, max(0.0, (end - (1 - true)) / (2 * true - 1))) for end in ends)
    return Learned(len(bits), float(share), float(low), float(high))


def truthful(epsilon: float) -> float:
    """The probability that a bit is sent as it is: e^ε / (1 + e^ε)."""
    return 1 / (1 + math.exp(-epsilon))


@dataclass(frozen=True)
class Fleet:
    """Devices by number: whether each has the fault (an old phone with a bad camera), and is unsure today."""

    faulty: np.ndarray
    unsure: np.ndarray

    def reporting(self, share: float, of_faulty: float = 1.0, seed: int = 0) -> np.ndarray:
        """Which devices report, bool ``[devices]``: by chance, those with the fault ``of_faulty`` times as
        often.

        Whoever has an old phone may have switched reports off, or no link: then the reports are not a sample.
        """
        chance = np.where(self.faulty, share * of_faulty, share)
        return np.random.default_rng(seed).random(len(self.faulty)) < chance


def fleet(devices: int, faulty: float, unsure_well: float, unsure_faulty: float, seed: int = 0) -> Fleet:
    """A fleet by chance: the share that has the fault, and how often a device of each kind is unsure."""
    rng = np.random.default_rng(seed)
    ill = np.zeros(devices, bool)
    ill[rng.permutation(devices)[: round(devices * faulty)]] = True
    return Fleet(ill, rng.random(devices) < np.where(ill, unsure_faulty, unsure_well))
