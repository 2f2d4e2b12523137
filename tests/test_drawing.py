import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fsdl_deploy.digits import digits
from fsdl_deploy.drawing import CLEAN, HARD, HEIGHT, TYPICAL, draw, hand
from fsdl_deploy.picture import check


@settings(max_examples=60, deadline=None)
@given(
    st.text("0123456789", min_size=1, max_size=12),
    st.sampled_from([CLEAN, TYPICAL, HARD]),
    st.integers(0, 2**32),
)
def test_any_text_at_any_level_gives_a_picture(text, level, seed):
    rng = np.random.default_rng(seed)
    image = draw(text, level, hand(level, rng), rng, digits("train"))
    assert check(image).shape[0] == HEIGHT
    assert image.shape[1] > 8 * len(text)
    assert image.min() < image.max() - 40, "there is ink on the paper"


@pytest.mark.parametrize("text", ["", "12a", "-5", "١٢", "1 2"])
def test_what_is_no_number_is_refused(text):
    rng = np.random.default_rng(0)
    with pytest.raises(ValueError, match="digits 0 to 9"):
        draw(text, CLEAN, hand(CLEAN, rng), rng, digits("train"))
