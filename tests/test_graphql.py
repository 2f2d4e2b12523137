"""The GraphQL server: the reader's answers, the table's rows, and queries that ask for too much."""

import base64

import httpx
import pytest

from fsdl_deploy import stations
from fsdl_deploy.cards import cards
from fsdl_deploy.picture import encode
from fsdl_deploy.reader import open_reader
from fsdl_deploy.servers import Server
from fsdl_deploy.store import Store

IMAGE = next(cards(1, seed=6)).image
PICTURE = base64.b64encode(encode(IMAGE)).decode()
READ = "query ($picture: String!) { read(picture: $picture) { digits confidence modelVersion } }"


def reads(names: str) -> str:
    """One field a name, each asking the model."""
    return " ".join(f"{name}: read(picture: $picture) {{ digits }}" for name in names)


@pytest.fixture(scope="module")
def ask(tmp_path_factory):
    table = tmp_path_factory.mktemp("graphql") / "readings.db"
    store = Store(table)
    run = store.begin("2026-10", "v2", 1)
    row = {"month": "2026-10", "customer": "C0000001", "model_version": "v2", "picture": "a.jpg"}
    store.add(run, [row | {"digits": "1234", "confidence": 0.9}])
    store.close()
    program = stations.station("graphql").folder / "server.py"
    command = [stations.ensure("graphql"), program, "--store", table, "--port", "{port}"]
    with Server(command, ready="/healthz", timeout=120) as server:

        def run(query, **variables):
            body = {"query": query, "variables": variables}
            return httpx.post(f"{server.url}/graphql", json=body, timeout=30)

        yield run


def test_the_model_and_the_table_answer(ask):
    (reading,) = open_reader().read([IMAGE])
    said = ask(READ, picture=PICTURE).json()["data"]["read"]
    wanted = {"digits": reading.digits, "confidence": reading.confidence, "modelVersion": "v2"}
    assert said == wanted
    query = '{ customer(name: "%s") { readings(months: ["2026-10", "2026-09"]) { digits age } } }'
    (stored,) = ask(query % "C0000001").json()["data"]["customer"]["readings"]
    assert stored["digits"] == "1234" and stored["age"] >= 0
    assert ask(query % "nobody").json()["data"]["customer"]["readings"] == []


@pytest.mark.parametrize(
    ("query", "picture", "problem"),
    [
        (READ, "bm8gcGljdHVyZQ==", "picture: the bytes are not a picture"),
        (READ, "no base64!", "picture: "),
        (READ, 5, "picture"),
        ("{ read { digits } }", None, "picture"),
        ("{ nothing }", None, "nothing"),
        ("{", None, "Syntax Error"),
        (f"query ($picture: String!) {{ {reads('abcdefghi')} }}", PICTURE, "9 aliases found. Allowed: 8"),
        (
            "query ($picture: String!) { ...four other: __typename ...more } "
            f"fragment four on Query {{ {reads('abcd')} }} fragment more on Query {{ {reads('efgh')} }}",
            PICTURE,
            "9 aliases found. Allowed: 8",
        ),
    ],
    ids=["picture", "base64", "type", "missing", "field", "syntax", "aliases", "fragments"],
)
def test_a_bad_query_ends_with_a_sentence(ask, query, picture, problem):
    answer = ask(query, **({} if picture is None else {"picture": picture}))
    errors = answer.json()["errors"]
    assert any(problem in error["message"] for error in errors), errors
    assert ask(READ, picture=PICTURE).json()["data"]["read"]["digits"]
