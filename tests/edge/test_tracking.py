"""Size and latency as metrics: MLflow's own server keeps them, finds them, and refuses in words."""

import pytest

from fsdl_course.setup.stations import ensure
from fsdl_deploy.edge import tracking
from fsdl_deploy.managed.mlflow_serving import Tracking, TrackingError


@pytest.mark.thorough
def test_figures_are_kept_and_found_by_mlflows_filter(tmp_path):
    ensure("mlflow")
    with Tracking(tmp_path) as server:
        url = server.server.url
        tracking.log(url, "v1", {"bytes": 500_000, "right": 0.75})
        tracking.log(url, "v2", {"bytes": 540_000, "right": 0.9})
        tracking.log(url, "v2", {"bytes": 541_000, "right": 0.95})
        assert tracking.runs(url, "metrics.bytes > 510000") == {"v2": {"bytes": 541_000, "right": 0.95}}
        assert list(tracking.runs(url)) == ["v1", "v2"]
        with pytest.raises(TrackingError, match=r"(?i)invalid|filter"):
            tracking.runs(url, "bytes are few")


def test_a_server_that_is_not_there_is_a_sentence():
    from fsdl_deploy.running.ports import free_port

    with pytest.raises(TrackingError, match="the tracking server does not answer"):
        tracking.runs(f"http://127.0.0.1:{free_port()}")


def test_versions_stand_beside_each_other():
    rows = tracking.table({"v1": {"bytes": 5.0}, "v2": {"bytes": 6.0, "right": 0.9}}).rows
    assert rows == [["v1", "5", ""], ["v2", "6", "0.9"]]
