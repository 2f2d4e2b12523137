"""Where the time of a request goes: which stacks count, and how they become a figure."""

import sys
import threading

import pytest

from fsdl_course import cli
from fsdl_course.serving import flame, stacks
from fsdl_course.serving.stacks import LOOP, WORKERS, Stacks

PLACES = {"pipeline": "/anywhere/fsdl_deploy/service/pipeline.py", "PIL": "/a/site-packages/PIL/Image.py"}


def stack_of(source, place):
    """What ``busy`` says of a thread in the function ``_work`` of this source, as if it lay at ``place``."""
    space = {"look": lambda: stacks.busy(sys._getframe(1)), "answers": []}
    exec(compile(source + "\n_work()", place, "exec"), space)
    return space["answers"][0]


def test_a_stack_begins_where_a_request_does():
    source = "def _run(): answers.append(look())\ndef _work(): _run()"
    assert stack_of(source, PLACES["pipeline"]) == (WORKERS, "pipeline._run")
    assert stack_of(source, PLACES["PIL"]) is None  # a thread that knows no request


def test_a_thread_that_waits_for_work_is_not_counted():
    gone_on, frames = threading.Event(), []

    def _work():
        frames.append(True)
        gone_on.wait()

    space = {"_work": _work}
    exec(compile("def root(): _work()", PLACES["pipeline"].replace("pipeline", "batching"), "exec"), space)
    thread = threading.Thread(target=space["root"])
    thread.start()
    try:
        while not frames:
            pass
        frame = sys._current_frames()[thread.ident]
        while frame.f_code.co_name != "wait":  # it has got there
            frame = sys._current_frames()[thread.ident]
        assert stacks.busy(frame) is None
    finally:
        gone_on.set()
        thread.join()


SEEN = Stacks(
    {
        (WORKERS, "pipeline._run", "reader.run"): 3.0,
        (WORKERS, "pipeline._run"): 1.0,
        (WORKERS, "pipeline._prepare", "picture.decode", "PIL.Image.frombytes"): 2.0,
        (LOOP, "uvicorn.a", "starlette.b", "fastapi.c", "direct.__call__"): 0.5,
    },
    100,
    50,
)


def test_boxes_stand_on_their_callers_and_fill_their_width():
    placed = {stack: (left, width) for stack, left, width in flame.boxes(SEEN)}
    assert placed[(WORKERS,)] == (0.0, 6.0) and placed[(LOOP,)] == (6.0, 0.5)
    assert placed[WORKERS, "pipeline._run"] == (0.0, 4.0)
    assert placed[WORKERS, "pipeline._run", "reader.run"] == (0.0, 3.0)
    assert placed[WORKERS, "pipeline._prepare"] == (4.0, 2.0)
    assert (LOOP, "uvicorn.a", "direct.__call__") in placed  # the tower of the web server is one step
    for stack, (left, width) in placed.items():
        if len(stack) > 1:
            below_left, below_width = placed[stack[:-1]]
            assert below_left <= left and left + width <= below_left + below_width + 1e-9


def test_the_time_within_a_function_is_that_of_what_it_calls_too():
    assert SEEN.within("pipeline._run") == 4.0 and SEEN.within("picture.decode") == 2.0
    assert SEEN.within("nothing") == 0


def test_whose_code_it_is():
    owners = [flame.whose(name) for name in ("PIL.Image.open", "uvicorn.x.run", "picture.decode", "json.x")]
    assert owners == ["Pillow", "web server", "the course", "Python"]


def test_the_command_samples_the_service_and_writes_the_figure(tmp_path, capsys):
    file = tmp_path / "flame.svg"
    assert cli.main(["bench", "flame", str(file), "--users", "4", "--requests", "60"]) == 0
    drawn = file.read_text()
    assert drawn.startswith("<?xml") and "ONNX Runtime" in drawn and "of a request (ms)" in drawn
    assert "60 requests" in capsys.readouterr().out


@pytest.mark.parametrize("words", [["x.svg", "--users", "0"], ["x.txt"]])
def test_what_cannot_be_drawn_is_refused(words, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert cli.main(["bench", "flame", *words]) == 1
    assert "must" in capsys.readouterr().err


def test_the_parts_are_shares_of_a_whole_request():
    model, decode = flame.PARTS["the model's run"], flame.PARTS["decode the picture"]
    seen = Stacks({(WORKERS, "x", model, "deep"): 3.0, (WORKERS, decode): 1.0, (LOOP, "y"): 4.0}, 1, 1)
    shares = dict(flame.parts_table(seen).rows)
    assert shares["the model's run"] == "38%" and shares["decode the picture"] == "12%"
    assert shares["event loop: HTTP, limits, routes, answer"] == "50%" and shares["count it"] == "0%"
