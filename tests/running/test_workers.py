"""Worker processes: they answer over their pipes, and none outlives the end, whatever it is doing."""

import signal

from fsdl_deploy.running import workers


def echo(prefix, pipe):
    while True:
        pipe.send(prefix + pipe.recv())


def deaf(pipe):
    pipe.send("started")
    signal.pause()


def test_each_answers_over_its_own_pipe_until_it_is_ended():
    several = [workers.start(echo, prefix) for prefix in ("a", "b")]
    for _, pipe in several:
        pipe.send("1")
    assert [pipe.recv() for _, pipe in several] == ["a1", "b1"]
    workers.end(several)
    assert [process.exitcode for process, _ in several] == [-signal.SIGKILL] * 2


def test_one_that_does_not_listen_and_one_that_is_gone_are_ended_too():
    stuck, gone = workers.start(deaf), workers.start(deaf)
    assert stuck[1].recv() == gone[1].recv() == "started"
    gone[0].terminate()
    gone[0].join()
    workers.end([stuck, gone])
    assert stuck[0].exitcode == -signal.SIGKILL and gone[0].exitcode == -signal.SIGTERM
