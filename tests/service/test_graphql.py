"""The GraphQL server: the reader's answers, the table's rows, and queries that ask for too much."""

import base64
from concurrent.futures import ThreadPoolExecutor

import httpx2
import pytest
from polling import until

from fsdl_course.setup.stations import ensure
from fsdl_deploy.batch.store import Store
from fsdl_deploy.cards import cards
from fsdl_deploy.picture import encode
from fsdl_deploy.reader import open_reader
from fsdl_deploy.running import stations
from fsdl_deploy.running.servers import Server

IMAGE = next(cards(1, seed=6)).image
PICTURE = base64.b64encode(encode(IMAGE)).decode()
READ = "query ($picture: String!) { read(picture: $picture) { digits confidence modelVersion } }"


def reads(names: str) -> str:
    """One field a name, each asking the model."""
    return " ".join(f"{name}: read(picture: $picture) {{ digits }}" for name in names)


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    table = tmp_path_factory.mktemp("graphql") / "readings.db"
    store = Store(table)
    run = store.begin("2026-10", "v2", 1)
    row = {"month": "2026-10", "customer": "C0000001", "model_version": "v2", "picture": "a.jpg"}
    store.add(run, [row | {"digits": "1234", "confidence": 0.9}])
    store.close()
    program = stations.station("graphql").folder / "server.py"
    command = [ensure("graphql"), program, "--store", table, "--port", "{port}"]
    with Server([*command, "--max-queries", "2"], ready="/healthz", timeout=120) as server:
        yield server


@pytest.fixture
def ask(server):
    def run(query, **variables):
        body = {"query": query, "variables": variables}
        return httpx2.post(f"{server.url}/graphql", json=body, timeout=30)

    return run


def test_the_model_and_the_table_answer(ask):
    (reading,) = open_reader().read([IMAGE])
    answer = ask(READ, picture=PICTURE).json()["data"]["read"]
    expected = {"digits": reading.digits, "confidence": reading.confidence, "modelVersion": "v2"}
    assert answer == expected
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
        (f"{{ {'a ' * 2000} }}", None, "more than 1000 tokens"),
    ],
    ids=["picture", "base64", "type", "missing", "field", "syntax", "aliases", "fragments", "long"],
)
def test_a_bad_query_ends_with_a_sentence(ask, query, picture, problem):
    answer = ask(query, **({} if picture is None else {"picture": picture}))
    errors = answer.json()["errors"]
    assert any(problem in error["message"] for error in errors), errors
    assert ask(READ, picture=PICTURE).json()["data"]["read"]["digits"]


@pytest.mark.parametrize(
    ("body", "status", "problem"),
    [
        (b"5", 422, "the JSON must be an object"),
        (b"null", 422, "the JSON must be an object"),
        (b"[" * 100_000, 400, "nested too deeply"),
        (b"{", 400, "not JSON"),
        (b'{"query": "{__typename}", "variables": {"a": [' + b"0," * 20_000 + b"0]}}", 422, "values"),
        (b"{" + b" " * 13 * 2**20 + b"}", 413, "the body has more than"),
    ],
    ids=["number", "null", "nested", "syntax", "values", "long"],
)
def test_a_body_that_is_no_query_ends_with_a_status_and_a_sentence(ask, server, body, status, problem):
    headers = {"Content-Type": "application/json"}
    answer = httpx2.post(f"{server.url}/graphql", content=body, headers=headers, timeout=30)
    assert answer.status_code == status
    assert problem in answer.json()["errors"][0]["message"]
    assert ask(READ, picture=PICTURE).json()["data"]["read"]["digits"]


def test_a_query_too_many_is_told_to_come_again(ask):
    """Eight clients ask for eight readings each, again and again, where two may ask at a time."""
    slow = f"query ($picture: String!) {{ {reads('abcdefgh')} }}"
    answers = []

    def busy():
        answers.extend(clients.map(lambda _: ask(slow, picture=PICTURE), range(8)))
        return refused(answers)

    with ThreadPoolExecutor(8) as clients:
        until(busy)
    (answer, *_) = refused(answers)
    assert answer.headers["retry-after"] == "1" and "busy" in answer.json()["errors"][0]["message"]
    assert {answer.status_code for answer in answers} == {200, 429}
    for _ in range(3):  # every place is free again
        assert ask(slow, picture=PICTURE).status_code == 200


def refused(answers: list[httpx2.Response]) -> list[httpx2.Response]:
    return [answer for answer in answers if answer.status_code == 429]
