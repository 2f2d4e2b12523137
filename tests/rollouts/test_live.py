"""A rollout under load: customers are moved, what they got is kept, and nobody's request is lost."""

from collections import Counter

import numpy as np
import pytest

from fsdl_deploy.measuring.load import Load
from fsdl_deploy.rollouts import live as live_module
from fsdl_deploy.rollouts.controller import RolloutStep
from fsdl_deploy.rollouts.guardrails import Watch
from fsdl_deploy.rollouts.live import LiveRollout, live
from fsdl_deploy.rollouts.stage import staged
from fsdl_deploy.rollouts.state import ROLLED_BACK, RUNNING, RolloutState
from fsdl_deploy.scaling.failures import Trial

pytestmark = pytest.mark.station


def test_a_bad_version_is_rolled_back_and_its_answers_end(proxy, fake):
    with staged(proxy, "bad", "good", customers=20, make=fake) as stage:
        rolled = live(
            stage, list(stage.customers), (RolloutStep(0.25, 4), RolloutStep(1.0, 10**6)), rate=40, tick=0.1
        )
    assert rolled.state.status == ROLLED_BACK and rolled.trial.lost == 0
    assert [share for _, share, _ in rolled.changes] == [0.25, 1.0, 0.0]
    assert max(rolled.good + rolled.bad) < rolled.changes[-1][0] + 2
    assert rolled.watch.pairs > 4 and "disagreement" in str(rolled.table())


def test_a_rollout_for_which_requests_are_too_few_ends_with_the_load(nginx, fake, monkeypatch):
    monkeypatch.setattr(live_module, "LONGEST", 1)
    with staged("nginx", "good", "good", customers=20, make=fake) as stage:
        rolled = live(stage, list(stage.customers), (RolloutStep(0.25, 10**6),), rate=0.2, tick=0.1)
    assert rolled.state.status == RUNNING and rolled.state.share == 0.25


def test_the_table_says_what_was_lost_and_that_the_meter_stood_still():
    load = Load(3, 1.0, np.ones(2), np.ones(2), {"Lost": (1, "status 502")}, never_sent=9, stood_still=26.0)
    text = str(LiveRollout(RolloutState(), Watch(), Trial(load, Counter(), 0, 0), [], [], []).table())
    assert "lost: 1 × Lost: status 502" in text and "stood still for 26.0 s; never sent: 9" in text
