"""What the notebooks of the packaging tools share: each way is asked in turns, and a slower one is seen."""

from types import SimpleNamespace

from fsdl_deploy.packaging import tools


def test_each_way_is_asked_for_each_card_in_turns():
    calls = []
    ways = {name: (lambda card, name=name: calls.append((name, card))) for name in ("here", "there")}
    times = tools.times_in_turns(ways, [1, 2], rounds=2)
    assert calls == 2 * [("here", 1), ("there", 1), ("here", 2), ("there", 2)]
    assert {name: len(ms) for name, ms in times.items()} == {"here": 4, "there": 4}


def test_costs_compare_with_the_first_two_ways():
    times = {"the reader itself": [2.0, 1.0, 9.0], "our service": [4.0], "the tool": [8.0]}
    server = SimpleNamespace(name="the tool", memory=lambda: 50 * 2**20)
    lines = tools.costs(times, [server]).splitlines()
    assert lines[0].endswith("2.0 ms = 0.5 × our service")
    assert lines[2].endswith("8.0 ms = 4.0 × the reader itself, 2.0 × our service")
    assert lines[3] == "the tool              50 MiB of memory"
