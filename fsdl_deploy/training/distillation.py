"""Distillation: a student learns from the truth, and from all that a teacher thinks of each time step.

The truth of a card is one line of digits. The teacher's probabilities also say which digits look alike and
where each begins, and they exist for cards without truth, such as mixtures of two. (G. Hinton, O. Vinyals,
J. Dean: *Distilling the Knowledge in a Neural Network*, 2015; L. Beyer et al.: *Knowledge distillation: A
good teacher is patient and consistent*, 2021.) Which networks are taught, ``recipes`` says.
"""

import torch
from torch import Tensor
from torch.nn import functional as F

TRUTH, TEACHER = 0.3, 2.0  # weights of the two parts of the loss


def distillation_loss(ctc: Tensor, student: Tensor, teacher: Tensor, lengths: Tensor) -> Tensor:
    """The loss of a student that follows its teacher.

    ``ctc``: the student's loss against the truth. ``student``, ``teacher``: log-probabilities float32
    ``[N, T, 11]`` of the same cards. ``lengths`` int64 ``[N]``: time steps of each card; the rest is padding.
    """
    steps = student.shape[1]
    inside = torch.arange(steps)[None] < lengths[:, None]
    divergence = F.kl_div(student, teacher, reduction="none", log_target=True).sum(2)
    return ctc * TRUTH + TEACHER * (divergence * inside).sum() / inside.sum() * steps / 10
