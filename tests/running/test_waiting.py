import pytest

from fsdl_deploy.running.waiting import until


def test_it_looks_again_until_it_is_so():
    looks = iter([0, 0, 1])
    until(lambda: next(looks), 10, TimeoutError, "it", pause=0)
    assert next(looks, None) is None


def test_it_does_not_wait_for_ever():
    with pytest.raises(TimeoutError, match="the cluster is not so far after 0 s"):
        until(lambda: False, 0, TimeoutError, "the cluster", pause=0)
