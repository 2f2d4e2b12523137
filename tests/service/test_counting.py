"""What is counted and signed: a version stands only on an answer that a reader could have given."""

from fake_service import WidthReader
from fastapi.testclient import TestClient

from fsdl_deploy.service.app import create_app


def test_a_route_that_needs_no_model_answers_before_one_is_loaded():
    """A journal's route, say, in a service that is built on this one: it was a 500 that named no cause."""
    app = create_app(lambda: WidthReader())

    @app.post("/noted")
    async def noted() -> dict:
        return {"noted": True}

    early = TestClient(app).post("/noted")  # outside of a `with`, the model is not loaded
    assert early.status_code == 200 and "x-model-version" not in early.headers
    with TestClient(app) as client:
        while client.get("/readyz").status_code != 200:
            pass
        assert client.post("/noted").headers["x-model-version"] == WidthReader().model_version
