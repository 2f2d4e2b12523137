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
    steps = symbols.shape[1]
    inside = torch.arange(steps, device=symbols.device)[None] < lengths[:, None]
    symbols = torch.where(inside, symbols, BLANK)
    before = F.pad(symbols, (1, 0), value=BLANK)[:, :-1]
    written = symbols != BLANK
    starts = written & (symbols != before)
    place = starts.long().cumsum(1) - 1
    aside = torch.full_like(place, steps)  # a column for what is not written, cut off at the end
    digits = torch.full((symbols.shape[0], steps + 1), -1, dtype=torch.long, device=symbols.device)
    digits = digits.scatter(1, torch.where(starts, place, aside), torch.where(starts, symbols - 1, -1))[
        :, :-1
    ]
    sure = torch.zeros(symbols.shape[0], steps + 1, device=symbols.device)
    sure = sure.scatter_reduce(1, torch.where(written, place, aside), best.exp(), "amax")[:, :-1]
    counts = starts.long().sum(1, keepdim=True)
    last = F.pad(digits, (1, 0), value=-1).gather(1, place + 1)  # [N, T]: the digit being or last written
    following = torch.minimum(place + 1, (counts - 1).clamp(min=0))
    after = digits.gather(1, following)
    log_last = log_probabilities.gather(2, (last + 1)[:, :, None])[:, :, 0]
    log_after = log_probabilities.gather(2, (after + 1)[:, :, None])[:, :, 0]
    agree = log_probabilities[:, :, BLANK].exp()
    agree = agree + torch.where(last >= 0, log_last.exp(), 0.0)
    agree = agree + torch.where((after >= 0) & (after != last), log_after.exp(), 0.0)
    doubt = torch.where(inside, agree.clamp(min=1e-6).log(), 0.0).sum(1)
    doubt = doubt + torch.where(digits >= 0, sure.clamp(min=1e-6).log(), 0.0).sum(1)
    return digits, sure, doubt.clamp(max=0.0).exp()
