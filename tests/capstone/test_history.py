"""The history: written as it happens by many threads, and read however it ended."""

import threading

from fsdl_course.capstone import history
from fsdl_course.capstone.history import History


def test_what_many_threads_write_is_read_whole(tmp_path):
    kept = History(tmp_path / "history.jsonl")

    def write(number):
        for turn in range(50):
            kept.add("answer", number=number, turn=turn, text="ä\n" * 50)

    threads = [threading.Thread(target=write, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    kept.close()
    kept.add("late")  # a client that comes back after the end
    events = history.read(tmp_path / "history.jsonl")
    assert len(events) == 400 and {event["what"] for event in events} == {"answer"}
    assert all(event["text"] == "ä\n" * 50 for event in events)


def test_times_count_from_the_load(tmp_path):
    kept = History(tmp_path / "history.jsonl")
    kept.zero -= 100  # a hundred seconds of preparation
    kept.add("started")
    kept.begin()
    kept.add("load begins")
    kept.close()
    started, begins = history.read(tmp_path / "history.jsonl")
    assert started["t"] >= 100 > 50 > begins["t"]


def test_a_last_line_that_was_cut_off_is_left_out(tmp_path):
    file = tmp_path / "history.jsonl"
    file.write_text('{"t": 1, "what": "ready"}\n{"t": 2, "wh', encoding="utf-8")
    assert history.read(file) == [{"t": 1, "what": "ready"}]
