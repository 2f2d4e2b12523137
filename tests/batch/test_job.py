"""The batch job: every card exactly once, wherever it is killed and whatever is in the inbox."""

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import threading

import PIL.Image
import pytest
import sqlalchemy as sa
from polling import until

from fsdl_deploy.batch import inbox
from fsdl_deploy.batch.job import Batch, Scored
from fsdl_deploy.batch.store import Store, StoreError
from fsdl_deploy.batch.tables import predictions
from fsdl_deploy.cli import main
from fsdl_deploy.picture import PictureError, decode
from fsdl_deploy.reader import OnnxReader
from fsdl_deploy.reading import Reading

MONTH = "2026-10"


class Widths:
    """A quick reader: a card's width is its reading; it remembers the sizes of its batches."""

    model_version = "v2"

    def __init__(self):
        self.batches = []

    def read(self, images):
        self.batches.append([image.shape[1] for image in images])
        return [Reading(str(image.shape[1]), 0.5, (0.5,), self.model_version) for image in images]


def run(folder, url, reader=None, chunk=25, workers=2, month=MONTH) -> Scored:
    stored = Store(url)
    with Batch(folder, month, stored, reader or Widths(), chunk, workers) as batch:
        scored = batch.score(progress=False)
    stored.close()
    return scored


def table(url, *columns):
    """The stored predictions in order, without who wrote them and when."""
    names = columns or ("month", "customer", "model_version", "digits", "confidence", "picture")
    stored = Store(url)
    with stored.engine.connect() as connection:
        query = sa.select(*(predictions.c[name] for name in names)).order_by(*map(sa.text, names))
        rows = [tuple(row) for row in connection.execute(query)]
    stored.close()
    return rows


@pytest.fixture
def cards(month_of_cards, tmp_path):
    """A copy of the inbox that a test may damage."""
    return shutil.copytree(month_of_cards, tmp_path / "inbox")


def test_every_card_is_read_once_by_the_right_customer(month_of_cards, store_url):
    assert run(month_of_cards, store_url) == Scored(read=120)
    expected = []
    for chunk in inbox.chunks(month_of_cards, MONTH):
        for picture in chunk.pictures:
            image = decode((month_of_cards / MONTH / picture).read_bytes())
            expected.append((inbox.customer_of(picture), str(image.shape[1]), picture))
    assert table(store_url, "customer", "digits", "picture") == expected
    assert run(month_of_cards, store_url) == Scored(already=120)
    first, second = Store(store_url).runs()[::-1]
    assert (first["cards"], first["read"], second["read"]) == (120, 120, 0)


def test_a_month_scored_by_two_versions_has_both(month_of_cards, store_url):
    newer = Widths()
    newer.model_version = "v3"
    run(month_of_cards, store_url)
    assert run(month_of_cards, store_url, newer) == Scored(read=120)
    assert len(table(store_url)) == 240


def test_batches_hold_neighbouring_widths(month_of_cards, tmp_path):
    reader = Widths()
    run(month_of_cards, tmp_path / "r.db", reader, chunk=500, workers=1)
    assert sorted(map(len, reader.batches)) == [28, 28, 32, 32]  # two shards of 60
    for wide in range(0, 4, 2):
        assert min(reader.batches[wide]) >= max(reader.batches[wide + 1]), "the widest first"


def test_the_model_reads_in_batches_what_it_reads_alone(month_of_cards, tmp_path):
    reader = OnnxReader("v2")
    run(month_of_cards, tmp_path / "r.db", reader)
    for picture, digits, confidence in table(tmp_path / "r.db", "picture", "digits", "confidence")[:20]:
        alone = reader.read([decode((month_of_cards / MONTH / picture).read_bytes())])[0]
        assert (digits, confidence) == (alone.digits, pytest.approx(alone.confidence, abs=2e-4))


def test_bad_pictures_are_set_aside_with_their_reason_and_the_rest_goes_on(cards, store_url):
    month = cards / MONTH / "C0000"
    (month / "C0000001.jpg").write_bytes(b"")
    (month / "C0000002.jpg").write_bytes(b"GIF89a, or so it says")
    whole = (month / "C0000003.jpg").read_bytes()
    (month / "C0000003.jpg").write_bytes(whole[: len(whole) // 2])
    (month / "C0000004.jpg").write_bytes(b"\x00" * 9 * 2**20)
    (month / "C0000005.png").write_bytes(whole)  # the customer has sent a PNG, too
    (cards / MONTH / os.fsdecode(b"\xff\xfe.jpg")).write_bytes(whole)
    assert run(cards, store_url) == Scored(read=116, set_aside=6)
    assert run(cards, store_url) == Scored(already=122)
    stored = Store(store_url)
    reasons = {os.path.basename(row["picture"]): row["reason"] for row in stored.aside()}
    assert reasons.pop("C0000005.png").startswith("a second card: ")
    assert reasons.pop("\\udcff\\udcfe.jpg") == "the name of the file is not UTF-8"
    assert [reason.split()[:4] for reason in map(reasons.get, sorted(reasons))] == [
        ["the", "picture", "has", "0"],
        ["the", "bytes", "are", "not"],
        ["the", "picture", "is", "damaged:"],
        ["the", "picture", "has", "8,388,609"],
    ]
    # The customer sends the card again, under the same name: it is read when it is tried again.
    (month / "C0000001.jpg").write_bytes(whole)
    assert main(["score", str(cards), "--month", MONTH, "--store", str(store_url), "--retry"]) == 0
    assert stored.prediction("C0000001", MONTH)["picture"].endswith("C0000001.jpg")
    assert stored.counts(MONTH, "v2") == (117, 5)
    stored.close()


def test_a_card_on_its_side_is_set_aside(cards, store_url):
    picture = cards / MONTH / "C0000" / "C0000001.jpg"
    PIL.Image.fromarray(decode(picture.read_bytes()).T).save(picture)
    assert run(cards, store_url) == Scored(read=119, set_aside=1)
    stored = Store(store_url)
    (row,) = stored.aside()
    assert row["reason"].endswith("taller than wide: turn it, or crop it to the digits")
    stored.close()


def test_a_second_card_in_a_chunk_close_behind_is_set_aside(tmp_path, month_of_cards):
    """What is known of the next chunks' customers was asked before this chunk was stored."""
    source = sorted((month_of_cards / MONTH / "C0000").iterdir())
    for shard, customer in enumerate("ABBBC"):  # a chunk each
        card = tmp_path / "inbox" / MONTH / f"{shard}" / f"{customer}.jpg"
        card.parent.mkdir(parents=True)
        shutil.copy(source[shard], card)
    assert run(tmp_path / "inbox", tmp_path / "r.db") == Scored(read=3, set_aside=2)
    assert run(tmp_path / "inbox", tmp_path / "r.db") == Scored(already=5)


def test_late_cards_are_read_by_the_next_run(cards, store_url):
    late = cards / MONTH / "C0000" / "C0000030.jpg"
    kept = late.rename(cards / "late.jpg")
    assert run(cards, store_url) == Scored(read=119)
    kept.rename(late)
    assert run(cards, store_url) == Scored(read=1, already=119)


def test_an_empty_month_is_a_run_that_found_nothing(tmp_path):
    (tmp_path / "inbox" / MONTH).mkdir(parents=True)
    assert run(tmp_path / "inbox", tmp_path / "r.db") == Scored()
    assert Store(tmp_path / "r.db").runs()[0]["cards"] == 0


def test_an_error_ends_the_run_and_is_on_record(month_of_cards, store_url):
    class Tired(Widths):
        def read(self, images):
            if len(self.batches) == 3:
                raise PictureError("I have seen enough")
            return super().read(images)

    with pytest.raises(PictureError):
        run(month_of_cards, store_url, Tired())
    stored = Store(store_url)
    (record,) = stored.runs()
    assert record["error"] == "PictureError: I have seen enough" and record["finished"] is None
    assert record["read"] == 60  # two chunks of a shard in three batches, whole chunks all
    stored.close()
    assert run(month_of_cards, store_url) == Scored(read=60, already=60)


def test_a_database_that_fails_ends_the_run(month_of_cards, tmp_path, monkeypatch):
    real, calls = Store.add, []

    def fail(self, *rows):
        calls.append(rows)
        if len(calls) == 2:
            raise StoreError("no space left")
        return real(self, *rows)

    monkeypatch.setattr(Store, "add", fail)
    with pytest.raises(StoreError):
        run(month_of_cards, tmp_path / "r.db")
    monkeypatch.undo()
    assert run(month_of_cards, tmp_path / "r.db") == Scored(read=95, already=25)


def test_two_workers_at_once_share_the_work_and_do_no_harm(month_of_cards, store_url):
    """The second starts at the other end, so that nearly every chunk is read by one of them alone."""
    barrier = threading.Barrier(2)

    class Meeting(Widths):
        def read(self, images):
            if not self.batches:
                barrier.wait(30)  # both are at work now
            return super().read(images)

    readers, results = [Meeting(), Meeting()], []
    threads = [
        threading.Thread(
            target=lambda r=r: results.append(run(month_of_cards, store_url, r, chunk=10, workers=1))
        )
        for r in readers
    ]
    threads[0].start()
    stored = Store(store_url)
    until(lambda: stored.active(MONTH, "v2"), 30)
    threads[1].start()
    for thread in threads:
        thread.join()
    assert len(table(store_url)) == 120
    assert sum(record["read"] for record in stored.runs()) == 120
    first = [scored.read for scored in results]
    assert min(first) > 0, "one of them did everything"
    stored.close()


def test_tools_score_chunk_by_chunk(month_of_cards, store_url):
    stored = Store(store_url)
    with Batch(month_of_cards, MONTH, stored, Widths(), chunk=50) as batch:
        record, total = batch.begin(), Scored()
        for chunk in [*batch.chunks(), *batch.chunks()]:  # each step is retried after it had succeeded
            total += batch.score_chunk(chunk, record)
        stored.finish(record)
    assert total == Scored(read=120, already=120)
    assert stored.runs()[0]["read"] == 120
    stored.close()


# Runs the command again and again, each time in a fork that kills itself with SIGKILL at the N-th call of
# a function after its run has begun, wherever that is; prints how each fork ended and what was stored then.
KILLED = """
import json, os, signal, sys
import onnxruntime, tqdm.auto
from fsdl_deploy import cli
from fsdl_deploy.batch import job, store
url, kills, *command = sys.argv[1:]

def child(left):
    begin = store.Store.begin
    def count(frame, event, _):
        nonlocal left
        left -= event in ("call", "return")
        if left < 0: os.kill(os.getpid(), signal.SIGKILL)
    def begin_and_count(*arguments):
        run = begin(*arguments)
        sys.setprofile(count)
        return run
    store.Store.begin = begin_and_count
    os._exit(cli.main([*command, "--store", url]))

for left in json.loads(kills):
    pid = os.fork() or child(left)
    ended = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    opened = store.Store(url)
    print(json.dumps([ended, opened.counts("2026-10", "v2")[0]]), flush=True)
    opened.close()
"""


@pytest.mark.timeout(600)
@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_killed_at_random_points_then_resumed_it_equals_an_undisturbed_run(
    month_of_cards, store_url, tmp_path
):
    command = ["score", str(month_of_cards), "--month", MONTH, "--chunk", "10", "--workers", "1"]
    assert main([*command, "--store", str(tmp_path / "undisturbed.db")]) == 0
    expected = table(tmp_path / "undisturbed.db")
    assert len(expected) == 120
    # Some kills come before the first chunk is stored, so there is no progress at all to go on from.
    kills = random.Random(7).choices(range(50, 3000), k=20)
    process = subprocess.run(
        [sys.executable, "-c", KILLED, store_url, json.dumps(kills), *command], capture_output=True, text=True
    )
    assert process.returncode == 0, process.stderr
    ended, stored = zip(*map(json.loads, process.stdout.split("\n")[-21:-1]), strict=True)
    assert set(ended) <= {0, -signal.SIGKILL}
    assert ended.count(-signal.SIGKILL) >= 5, "it was done before it was killed"
    assert list(stored) == sorted(stored)
    assert all(count % 10 == 0 for count in stored), "a chunk was stored in part"
    assert main([*command, "--store", store_url]) == 0
    assert table(store_url) == expected


def test_the_command_says_what_it_did(cards, tmp_path, capsys):
    (cards / MONTH / "C0000" / "C0000001.jpg").write_bytes(b"no picture")
    command = ["score", str(cards), "--month", MONTH, "--store", str(tmp_path / "r.db")]
    assert main(command) == 0
    out = capsys.readouterr().out
    assert out.startswith("2026-10 with v2: 119 cards read, 1 set aside, 0 done before; ")
    assert "C0000001.jpg: the bytes are not a picture" in out


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (["--version", "v9"], "there is no model file v9.onnx"),
        (["--chunk", "0"], "at least one card"),
        (["--workers", "0"], "--workers is 1 or more"),
        (["--store", "mysql://x/y"], "SQLite or PostgreSQL"),
        (["--month", "2025-01"], "no cards of 2025-01"),
    ],
)
def test_what_cannot_be_done_is_one_sentence(month_of_cards, tmp_path, capsys, monkeypatch, words, problem):
    monkeypatch.chdir(tmp_path)
    assert main(["score", str(month_of_cards), "--month", MONTH, *words]) == 1
    message = capsys.readouterr().err.strip().splitlines()[-1]
    assert problem in message and message.startswith("fsdl-deploy score: ")
