"""MLflow's servers: what they refuse is a sentence. What they answer is in the notebook, which is tested."""

import pytest

from fsdl_course.setup.stations import ensure
from fsdl_deploy.managed.mlflow_serving import Tracking, TrackingError


@pytest.mark.thorough
def test_what_the_tracking_server_refuses_is_a_sentence(tmp_path):
    ensure("mlflow")
    with Tracking(tmp_path) as tracking:
        with pytest.raises(TrackingError, match="meter-reader"):
            tracking.behind("champion")
        with pytest.raises(TrackingError, match="no model is logged as 'challenger'"):
            tracking.log(tmp_path / "nothing.png", undescribed=["challenger"], champion="v2")
        with pytest.raises(TrackingError, match="No such file"):
            tracking.log(tmp_path / "nothing.png", champion="v2")
        tracking.server.kill()
        with pytest.raises(TrackingError, match="the tracking server does not answer"):
            tracking.point("champion", 1)
