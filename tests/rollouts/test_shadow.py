"""Shadow: differences are seen before any customer meets them, and the work is twice as much."""

import pytest

from fsdl_deploy.rollouts.shadow import cost, shadowed
from fsdl_deploy.rollouts.stage import staged

pytestmark = pytest.mark.station


def test_the_candidate_reads_all_and_nobody_gets_its_answers(proxy, fake):
    with staged(proxy, "bad", "good", customers=20, make=fake) as stage:
        sent = list(stage.customers)
        without, within = (shadowed(stage, sent, 40, 1.5, share) for share in (0, 1))
    assert not without.pairs and not without.lost and without.met == within.met == within.lost == 0
    assert len(within.pairs) >= 0.98 * within.requests > 0
    assert 0.2 < len(within.disagreements) / len(within.pairs) < 0.5
    assert any(alarm.startswith("disagreement") for alarm in within.alarms)
    assert within.milliseconds["candidate"] > without.milliseconds["candidate"]
    assert "together" in str(cost(without, within))
