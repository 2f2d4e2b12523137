"""CTC decoding: from the network's log-probabilities at each time step to digits with their confidence.

The network writes one of 11 symbols a step, the blank or a digit; several steps may write the same digit.
(A. Graves et al.: *Connectionist Temporal Classification*, 2006.) Exported to ONNX with the network.
"""

import torch
from torch import Tensor
from torch.nn import functional as F

BLANK = 0
CLASSES = 11  # the blank and the ten digits


def best_path(log_probabilities: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Decode CTC by its best path: drop repeats, then blanks (Graves et al. 2006, section 3.2).

    Log-probabilities ``[N, T, 11]``, lengths ``[N]`` -> digits int64 ``[N, T]`` padded with -1;
    digit confidence float32 ``[N, T]``, the highest probability in the digit's run, padded with 0;
    confidence ``[N]`` of the whole reading: every digit's confidence, times the share of each step that
    agrees with the reading (the blank, or the digit written last or next). The path's own probability
    would count it as doubt when a digit may start a step earlier or later.
    """
    best, symbols = log_probabilities.max(2)
    steps = torch.arange(symbols.shape[1], device=symbols.device)
    inside = steps[None] < lengths[:, None]
    symbols = torch.where(inside, symbols, BLANK).float()
    before = F.pad(symbols, (1, 0), value=BLANK)[:, :-1]
    written = symbols != BLANK
    starts = torch.logical_and(written, symbols != before).float()
    begun = starts.cumsum(1)  # how many digits have begun: the place of the one being or last written, from 1
    # A table [N, place, step] of who writes where: to scatter and gather by index, many runtimes cannot.
    table = (begun[:, None] == (steps + 1)[None, :, None]).float()
    digits = (table @ (starts * symbols)[:, :, None])[:, :, 0]  # [N, place]: the symbol, 0 where none is
    sure = (table * (written * best.exp())[:, None]).amax(2)
    following = F.pad(digits, (0, 1))[:, 1:]
    following = torch.where(following > 0, following, digits)  # the last digit has none after it
    last, after = (torch.stack([digits, following], 1) @ table).unbind(1)  # [N, T]: of each step
    after = torch.where(begun > 0, after, digits[:, :1])
    classes = torch.arange(CLASSES, device=symbols.device)
    agreeing = torch.logical_or(classes == last[:, :, None], classes == after[:, :, None])
    agreeing = torch.logical_or(agreeing, classes == BLANK)
    agree = torch.where(agreeing, log_probabilities.exp(), 0.0).sum(2)
    doubt = torch.where(inside, agree.clamp(min=1e-6).log(), 0.0).sum(1)
    doubt = doubt + torch.where(digits > 0, sure.clamp(min=1e-6).log(), 0.0).sum(1)
    return digits.long() - 1, sure, doubt.clamp(max=0.0).exp()
