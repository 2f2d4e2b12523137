"""A device that updates by python-tuf; needs the station ``tuf``: stations.station("tuf")."""

from fsdl_deploy.browser.attack_list import ATTACKS
from fsdl_deploy.browser.devices import attack_device, deltas


def test_every_attack_is_refused_by_its_own_exception_and_the_honest_release_is_taken():
    steps = {step["step"]: step for step in attack_device()}
    assert [steps[name]["answer"] for name in ("first", "nothing new")] == ["updated", "newest"]
    for attack in ATTACKS:
        step = steps[attack.name]
        assert step["answer"] == attack.tuf, step
        assert step["before"] == step["after"] != "", step
        assert steps[f"after {attack.name}"]["answer"] == "updated", step
    assert steps["rollback by a new release"]["after"] == "release 1 again"


def test_a_difference_pays_for_a_changed_graph_and_not_for_new_weights():
    by_change = {row["change"]: row for row in deltas()}
    retrained, graph, head = by_change.values()
    assert retrained["zstd_patch"] > 0.9 * retrained["zstd"]
    assert max(graph["bsdiff"], graph["zstd_patch"]) < 0.01 * graph["zstd"]
    assert head["zstd_patch"] < head["whole"] / 1000
