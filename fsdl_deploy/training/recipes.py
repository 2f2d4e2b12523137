"""How each network is trained: steps, learning rates, variety of the cards, and who has a teacher."""

import math
from dataclasses import dataclass

from torch import nn

from fsdl_deploy.models import Student, Teacher


@dataclass(frozen=True)
class Phase:
    """So many ``steps`` from the learning rate ``peak`` down to nothing, on cards varied by ``strength``.

    ``mixed``: half of the cards are mixtures of two, which only the teacher can answer: a student that
    follows it there as well learns more of it than is in the cards (Beyer et al. 2021).
    """

    steps: int
    peak: float
    strength: float = 1.0
    mixed: bool = False


@dataclass(frozen=True)
class Recipe:
    """How one network is trained. ``taught``: distilled from the finished teacher, see ``distillation``.

    Later phases vary the cards less, so that training ends near the cards that will be read.
    """

    network: type[nn.Module]
    phases: tuple[Phase, ...]
    seed: int
    taught: bool = False
    average: float = 0.995  # weight of the past in the running average of the weights

    @property
    def steps(self) -> int:
        return sum(phase.steps for phase in self.phases)


RECIPES = {
    "teacher": Recipe(Teacher, (Phase(1500, 1.5e-3, 0.7), Phase(7000, 1.2e-3, 0.35)), seed=1),
    "v1": Recipe(Student, (Phase(700, 4e-3),), seed=2),
    "v2": Recipe(
        Student,
        (Phase(1500, 4e-3, 0.7), Phase(9500, 3e-3, 0.35), Phase(4000, 1.5e-3, 0.35, mixed=True)),
        seed=3,
        taught=True,
    ),
}
QUICK = {"v2": Recipe(Student, (Phase(300, 6e-3, 0.35),), seed=4, average=0.95)}
POOL, QUICK_POOL = 40_000, 1_200


def schedule(step: int, recipe: Recipe) -> tuple[float, Phase, int]:
    """Learning rate, phase, and the most digits on a card at ``step``.

    The first phase warms up over a tenth of its steps; each falls along a cosine (Loshchilov and
    Hutter 2017). Short lines come first: CTC finds the digits sooner.
    """
    start = 0
    for phase in recipe.phases:
        if step < start + phase.steps:
            break
        start += phase.steps
    step, warm = step - start, 0 if start else phase.steps // 10
    longest = 3 if not start and step < phase.steps // 12 else 9
    if step < warm:
        rate = phase.peak * (step + 1) / warm
    else:
        rate = phase.peak * 0.5 * (1 + math.cos(math.pi * (step - warm) / (phase.steps - warm)))
    return rate, phase, longest
