import numpy as np
import pytest
import torch

from fsdl_deploy.preprocess import HEIGHT, MARGIN, Preprocess


def test_preprocess_is_blind_to_light_and_keeps_ink_positive():
    picture = torch.full((1, 32, 80), 200, dtype=torch.uint8)
    picture[0, 8:24, 30:34] = 40
    darker = (picture.float() * 0.5 + 10).byte()
    width = torch.tensor([80])
    plain, _ = Preprocess()(picture, width)
    dark, _ = Preprocess()(darker, width)
    assert torch.allclose(plain, dark, atol=0.02)
    assert plain[0, 0, 16, 31] > 1 > 0 > plain[0, 0, 2, 2]
    card = plain[..., :-MARGIN]
    assert card.mean().abs() < 1e-4 and card.std() == pytest.approx(1, abs=0.01)
    fixed, _ = Preprocess((0.9, 0.2))(picture, width)
    fixed_dark, _ = Preprocess((0.9, 0.2))(darker, width)
    assert not torch.allclose(fixed, fixed_dark, atol=0.5), (
        "with constants the light matters: the bug of v3-bad"
    )


@pytest.mark.parametrize(("height", "width"), [(8, 8), (32, 100), (64, 301), (200, 77), (50, 171)])
def test_preprocess_resizes_to_the_network_height(height, width):
    gradient = torch.linspace(0, 255, width).byte().expand(1, height, width)
    ink, widths = Preprocess()(gradient, torch.tensor([width]))
    assert widths.item() == -(-width * HEIGHT // height) and ink.shape == (1, 1, HEIGHT, widths + MARGIN)
    across, margin = ink[0, 0, :, :-MARGIN].numpy(), ink[0, 0, :, -MARGIN:]
    assert not margin.any(), "nothing stands beyond the card"
    assert (np.diff(across, axis=1) <= 1e-5).all(), "a rising picture stays monotone"
    assert np.ptp(across, axis=0).max() < 1e-4
