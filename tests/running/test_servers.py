"""A server ends with whatever started it: each ending is played with real processes."""

import gc
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import nbformat
import psutil
import pytest
from polling import alive, until

from fsdl_deploy.running import servers
from fsdl_deploy.running.ports import free_port
from fsdl_deploy.running.servers import Server, ServerError
from fsdl_deploy.running.watchdog import LOG_BYTES

SERVE = """
import http.server, os, sys
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = os.environ.get("ANSWER", "hello").encode()
        self.send_response(200 if self.path == "/healthz" else 404)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
def serve():
    http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
if __name__ == "__main__":
    serve()
"""
IGNORES_SIGTERM = """
import signal, serve
signal.signal(signal.SIGTERM, signal.SIG_IGN)
serve.serve()
"""
# A child, a child in a session of its own, an orphan in a session of its own: none minds SIGTERM.
HAS_FAMILY = """
import os, signal, subprocess, sys, serve
sleeper = [sys.executable, "-c", "import signal, time; signal.signal(15, signal.SIG_IGN); time.sleep(600)"]
sleeper.append(os.path.abspath(__file__))
subprocess.Popen(sleeper)
subprocess.Popen(sleeper, start_new_session=True)
if os.fork() == 0:
    os.setsid()
    subprocess.Popen(sleeper)
    os._exit(0)
os.wait()
serve.serve()
"""
pytestmark = pytest.mark.skipif(os.name != "posix", reason="plays with POSIX signals")


def processes(mark) -> list[str]:
    """Command lines of all processes that mention ``mark``, this one aside."""
    lines = []
    for process in psutil.process_iter(["cmdline"]):
        line = " ".join(process.info["cmdline"] or [])
        if str(mark) in line and process.pid != os.getpid():
            lines.append(line)
    return lines


def listens(port) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def get(url) -> str:
    with urllib.request.urlopen(url, timeout=10) as answer:
        return answer.read().decode()


@pytest.fixture(autouse=True)
def nothing_left(tmp_path, monkeypatch):
    """No process that knows this test's folder and no temporary file is left when the test is over."""
    temp = tmp_path / "temp"
    temp.mkdir()
    monkeypatch.setenv("TMPDIR", str(temp))
    monkeypatch.setattr("tempfile.tempdir", str(temp))
    yield
    gc.collect()
    until(lambda: not processes(tmp_path), what=f"the end of {processes(tmp_path)}")
    assert [path for path in temp.iterdir() if path.name.startswith("fsdl")] == []


@pytest.fixture
def script(tmp_path):
    """Write a server program (after ``serve``, which it may import); return its command."""
    (tmp_path / "serve.py").write_text(SERVE)

    def write(source="import serve; serve.serve()", name="server.py"):
        (tmp_path / name).write_text(source)
        return [sys.executable, str(tmp_path / name), "{port}"]

    return write


@pytest.fixture
def starts_it(script, tmp_path):
    """Python source that starts a server named ``server`` and notes its pid and port in facts.json."""

    def source(program="import serve; serve.serve()", **options):
        arguments = "".join(f", {key}={value!r}" for key, value in options.items())
        return (
            "import json, os, sys, time, pathlib\n"
            "from fsdl_deploy.running.servers import Server\n"
            "def note(server):\n"
            "    facts = json.dumps({'pid': server.pid, 'port': server.port, 'me': os.getpid()})\n"
            f"    pathlib.Path({str(tmp_path / 'facts.part')!r}).write_text(facts)\n"
            f"    os.replace({str(tmp_path / 'facts.part')!r}, {str(tmp_path / 'facts.json')!r})\n"
            f"server = Server({script(program)!r}{arguments})\n"
        )

    return source


def facts(tmp_path) -> dict:
    path = tmp_path / "facts.json"
    until(path.exists, 180, "the start of the server")
    return json.loads(path.read_text())


def wait_gone(noted):
    until(lambda: not psutil.pid_exists(noted["pid"]), what="the end of the server process")
    assert not listens(noted["port"])


# --- one server and its life


def test_serves_and_ends(script):
    with Server(script(), env={"ANSWER": "I am {port}"}) as server:
        assert get(server.url + "/healthz") == f"I am {server.port}"
        assert server.running and psutil.Process(server.pid).cmdline()[-1] == str(server.port)
        assert repr(server) == "Server 'server.py': running"
        assert '"GET /healthz HTTP/1.1" 200' in server.log()
        assert len(server.log(1).splitlines()) == 1 and server.log(0) == ""
        assert server.memory() >= psutil.Process(server.pid).memory_info().rss * 0.5
    wait_gone({"pid": server.pid, "port": server.port})
    assert repr(server) == "Server 'server.py': not running"
    assert "GET /healthz" in server.log()
    with pytest.raises(ServerError, match="not running"):
        server.memory()


def test_start_and_stop_can_be_repeated(script):
    server = Server(script())
    with pytest.raises(ServerError, match="start it first"):
        _ = server.url
    server.stop()
    pid = server.start().pid
    assert server.start().pid == pid
    port = server.port
    server.stop()
    server.stop()
    assert not server.running and not listens(port)
    assert server.start().port == port and server.pid != pid
    server.stop()


def test_kill_is_a_crash_and_start_uses_the_same_port(script):
    with Server(script(), name="the service") as server:
        url, pid = server.url, server.pid
        server.kill()
        assert not server.running and not psutil.pid_exists(pid)
        with pytest.raises(OSError, match="refused"):
            get(url + "/healthz")
        server.kill()
        server.start()
        assert server.url == url and get(url + "/healthz") == "hello"


def test_two_at_once(script):
    command = script()
    with Server(command, env={"ANSWER": "one"}) as first, Server(command, env={"ANSWER": "two"}) as second:
        assert first.port != second.port
        assert (get(first.url + "/healthz"), get(second.url + "/healthz")) == ("one", "two")
        first.stop()
        assert get(second.url + "/healthz") == "two"


def test_ready_may_be_a_function_or_just_the_port(script):
    calls = []

    def ready(server):
        calls.append(server.port)
        return len(calls) > 2 and get(server.url + "/healthz") == "hello"

    with Server(script(), ready=ready):
        assert len(calls) > 2
    with Server(script(), ready=None) as server:
        assert listens(server.port)
    with pytest.raises(NameError):
        Server(script(), ready=lambda server: not_a_name).start()  # noqa: F821


def test_last_reference_stops_it(script):
    server = Server(script()).start()
    noted = {"pid": server.pid, "port": server.port}
    del server
    gc.collect()
    wait_gone(noted)


def test_environment_of_the_kernel_is_not_passed_on(script, monkeypatch):
    monkeypatch.setenv("MPLBACKEND", "module://matplotlib_inline.backend_inline")
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("KEPT", "yes")
    source = "import os, serve; print(*[os.environ.get(k) for k in ('MPLBACKEND', 'FORCE_COLOR', 'KEPT')])"
    with Server(script(source + "\nserve.serve()")) as server:
        assert server.log().startswith("None None yes")


def test_proxy_does_not_matter(script, monkeypatch):
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    with Server(script()) as server:
        assert server.running


def test_the_log_holds_what_was_written_before_an_answer(script):
    with Server(script()) as server:
        for number in range(1, 200):
            get(server.url + "/healthz")
            assert server.log().count('"GET /healthz HTTP/1.1" 200') > number


def test_a_server_that_never_stops_writing_has_a_log(script):
    chatter = "import serve, threading\nthreading.Thread(target=serve.serve, daemon=True).start()\n"
    with Server(script(chatter + "while True:\n    print('x' * 1000)")) as server:
        assert "xxx" in server.log()


def test_log_of_a_talkative_server_is_cut(script):
    flood = "import serve\nprint('\\n'.join(f'line {i} ' + 'x' * 40 for i in range(200_000)))\nserve.serve()"
    with Server(script(flood)) as server:
        log = server.log()
        assert LOG_BYTES / 2 < len(log) <= 2.1 * LOG_BYTES
        assert "line 199999 " in log and "line 0 " not in log and "beginning is gone" in log


def test_import_is_light():
    heavy = {"psutil", "http.client", "numpy"}
    code = f"import sys, fsdl_deploy.running.servers; print(*{heavy} & set(sys.modules))"
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == ""


# --- bad starts


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"command": "uvicorn --port {port}"}, "list of words"),
        ({"command": []}, "list of words"),
        ({"command": ["uvicorn"]}, r"holds \{port\}"),
        ({"command": ["uvicorn", "{port}"], "ready": "healthz"}, "slash"),
    ],
)
def test_bad_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        Server(**arguments)


def test_unknown_program_and_folder(script, tmp_path):
    with pytest.raises(ServerError, match=r"cannot be started: .*no-such-program"):
        Server(["no-such-program", "{port}"]).start()
    with pytest.raises(ServerError, match=r"cannot be started: .*no-such-folder"):
        Server(script(), cwd=tmp_path / "no-such-folder").start()


def test_dies_at_once(script):
    timeout, started = 600, time.monotonic()
    source = "print('reading weights')\nraise SystemExit('no weights: run fsdl-deploy train')"
    with pytest.raises(ServerError) as caught:
        Server(script(source), timeout=timeout).start()
    assert "server.py ended with exit status 1 before it was ready" in str(caught.value)
    assert "reading weights\nno weights: run fsdl-deploy train" in str(caught.value)
    assert time.monotonic() - started < timeout / 2
    with pytest.raises(ServerError, match="killed by signal 9"):
        Server(script("import os; os.kill(os.getpid(), 9)")).start()


def test_never_ready(script):
    for timeout in (1, 10, 60):  # a crowded machine needs longer to come as far as an answer
        server = Server(
            script("import serve; print('warming up'); serve.serve()"), "/readyz", timeout=timeout
        )
        with pytest.raises(ServerError) as caught:
            server.start()
        assert not server.running and not listens(server.port)
        if "GET /readyz" in server.log():
            break
    assert f"not ready after {timeout} s: /readyz answered 404" in str(caught.value)
    assert "warming up" in str(caught.value) and "GET /readyz" not in str(caught.value)


def test_death_inside_the_block_is_told(script):
    dies = "import serve, os\nserve.Handler.do_POST = lambda self: os._exit(3)\nserve.serve()"
    with pytest.raises(KeyError) as caught, Server(script("print('last words')\n" + dies)) as server:
        with pytest.raises(OSError):
            urllib.request.urlopen(server.url, data=b"", timeout=10)
        until(lambda: not server.running)
        raise KeyError
    assert "last words" in caught.value.__notes__[0]


def test_lost_race_for_the_port_is_run_again(script, monkeypatch):
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        taken, free = holder.getsockname()[1], free_port()
        answers = iter([taken, taken, free])
        monkeypatch.setattr(servers, "free_port", lambda: next(answers))
        with Server(script()) as server:
            assert server.port == free
        with pytest.raises(ServerError, match="in use"):  # this one may not choose
            Server(script(), port=taken).start()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells who listens")
def test_an_answer_of_another_server_is_not_taken_for_its_own(script, monkeypatch):
    """Another process may get the port first, and answers while this server still loads its model."""
    with Server(script()) as other:
        answers = iter([other.port, free := free_port()])
        monkeypatch.setattr(servers, "free_port", lambda: next(answers))
        loads = f"import serve, sys, time\nwhile sys.argv[1] == '{other.port}':\n    time.sleep(1)\n"
        with Server(script(loads + "serve.serve()", "loads.py"), env={"ANSWER": "mine"}) as server:
            assert server.port == free and get(server.url + "/healthz") == "mine"
        monkeypatch.setattr(servers, "_ATTEMPTS", 1)
        answers = iter([other.port])
        with pytest.raises(ServerError, match=f"has not got port {other.port}"):
            Server(script(loads, "loads.py"), ready=None).start()


def test_two_processes_are_not_given_the_same_port():
    draws = "import secrets\nnumbers = iter(range(12_000))\nsecrets.randbelow = lambda _: next(numbers)\n"
    asks = draws + "from fsdl_deploy.running.ports import free_port\nprint(free_port(), flush=True)\ninput()"
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL, "text": True}
    ports = []
    with subprocess.Popen([sys.executable, "-c", asks], **pipes) as first:
        ports.append(int(first.stdout.readline()))  # no server listens there yet
        with subprocess.Popen([sys.executable, "-c", asks], **pipes) as second:
            ports.append(int(second.stdout.readline()))
            second.stdin.close()
        first.stdin.close()
    assert ports[0] < ports[1], ports


def test_port_of_somebody_else(script):
    with socket.create_server(("127.0.0.1", 0)) as holder:
        server = Server(script(), port=holder.getsockname()[1], timeout=5)
        with pytest.raises(ServerError, match="in use by another process"):
            server.start()
    assert Server(["nginx", "-c", "configuration"], port=80).port == 80


# --- servers that do not want to end


def test_ignores_sigterm(script):
    with Server(script(IGNORES_SIGTERM), grace=0.5) as server:
        noted = {"pid": server.pid, "port": server.port}
    wait_gone(noted)


@pytest.mark.parametrize("ending", ["stop", "kill"])
@pytest.mark.skipif(sys.platform != "linux", reason="only Linux finds children in other sessions")
def test_children_end_too(script, tmp_path, ending):
    server = Server(script(HAS_FAMILY), grace=0.5).start()
    sleepers = until(lambda: len(lines := processes("time.sleep(600)")) >= 3 and lines)
    assert all(str(tmp_path) in line for line in sleepers)
    getattr(server, ending)()
    assert processes(tmp_path) == []


def test_uvicorn_with_workers(tmp_path):
    (tmp_path / "app.py").write_text(
        "async def app(scope, receive, send):\n"
        "    if scope['type'] == 'http':\n"
        "        await send({'type': 'http.response.start', 'status': 200, 'headers': []})\n"
        "        await send({'type': 'http.response.body', 'body': b'ok'})\n"
    )
    command = [sys.executable, "-m", "uvicorn", "app:app", "--app-dir", str(tmp_path), "--workers", "2"]
    with Server([*command, "--port", "{port}"]) as server:
        family = psutil.Process(server.pid).children(recursive=True)
        assert len(family) >= 2 and server.memory() > psutil.Process(server.pid).memory_info().rss
    assert not any(process.is_running() for process in family) and not listens(server.port)


def test_processes_are_found_by_a_word_of_their_command(monkeypatch):
    parent = """
import http.server as http, subprocess, sys
subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)", "-".join(["the", "child"])])
http.HTTPServer(("127.0.0.1", int(sys.argv[1])), http.SimpleHTTPRequestHandler).serve_forever()
"""
    with Server([sys.executable, "-c", parent, "{port}"], "/") as server:
        (only,) = until(lambda: server.processes("the-child"))
        assert only in server.processes() and len(server.processes()) == 2
        assert server.processes("nobody-is-called-so") == []
        family = server.processes()
        monkeypatch.setattr(server._program, "processes", lambda: family)
        only.kill()
        until(lambda: not alive(only.pid))
        assert server.processes("the-child") == []
    with pytest.raises(ServerError, match="not running"):
        server.processes("the-child")


@pytest.mark.skipif(sys.platform != "linux", reason="PR_SET_PDEATHSIG")
def test_death_of_the_watchdog(script):
    server = Server(script()).start()
    os.kill(psutil.Process(server.pid).ppid(), signal.SIGKILL)
    wait_gone({"pid": server.pid, "port": server.port})
    until(lambda: not server.running)
    server.stop()


def test_forked_child_does_not_stop_it(script):
    with Server(script()) as server:
        child = os.fork()
        if child == 0:
            server.stop()
            os._exit(0)
        os.waitpid(child, 0)
        assert get(server.url + "/healthz") == "hello"


# --- programs and notebooks that end in every way


@pytest.fixture
def program(tmp_path):
    """Start Python source as the leader of its own session, as a terminal would."""
    started = []

    def start(source):
        path = tmp_path / "program.py"
        interrupts = "import signal\nsignal.signal(signal.SIGINT, signal.default_int_handler)\n"
        path.write_text(interrupts + source)  # shells start background jobs with SIGINT ignored
        command = [sys.executable, str(path)]
        started.append(subprocess.Popen(command, start_new_session=True, stderr=subprocess.PIPE))
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.communicate()


@pytest.mark.parametrize("ending", ["pass", "sys.exit(3)", "1 / 0", "os._exit(0)", "os.kill(0, 15)"])
def test_end_of_a_program(starts_it, program, tmp_path, ending):
    process = program(starts_it() + f"server.start(); note(server)\n{ending}\n")
    process.wait(120)
    wait_gone(facts(tmp_path))
    assert b"Warning" not in process.stderr.read()


@pytest.mark.parametrize("program_of_server", ["import serve; serve.serve()", IGNORES_SIGTERM])
def test_ctrl_c(starts_it, program, tmp_path, program_of_server):
    source = starts_it(program_of_server, grace=1)
    process = program(source + "with server:\n    note(server)\n    time.sleep(600)\n")
    noted = facts(tmp_path)
    os.killpg(process.pid, signal.SIGINT)
    assert process.wait(120) == -signal.SIGINT
    wait_gone(noted)


def test_ctrl_c_again_while_it_stops(starts_it, program, tmp_path):
    source = starts_it(IGNORES_SIGTERM, grace=2)
    process = program(source + "with server:\n    note(server)\n    time.sleep(600)\n")
    noted = facts(tmp_path)

    def ends_after_another():
        os.killpg(process.pid, signal.SIGINT)
        time.sleep(0.2)
        return process.poll() is not None

    until(ends_after_another)
    wait_gone(noted)


def test_ctrl_c_while_it_starts(starts_it, program, tmp_path):
    slow = f"import pathlib, time\npathlib.Path({str(tmp_path / 'begun')!r}).touch()\ntime.sleep(600)"
    process = program(starts_it(slow) + "server.start()\n")
    until((tmp_path / "begun").exists)
    os.killpg(process.pid, signal.SIGINT)
    process.wait(120)
    until(lambda: not processes(tmp_path))


def test_fork_that_outlives_the_program(starts_it, program, tmp_path):
    fork = "if os.fork() == 0:\n    time.sleep(600)\nserver_started = note(server)\ntime.sleep(600)\n"
    process = program(starts_it() + "server.start()\n" + fork)
    noted = facts(tmp_path)
    process.kill()
    try:
        wait_gone(noted)
    finally:
        os.killpg(process.pid, signal.SIGKILL)


@pytest.fixture
def kernel():
    from jupyter_client.manager import start_new_kernel

    manager, client = start_new_kernel(kernel_name="python3")
    yield manager, client
    client.stop_channels()
    manager.shutdown_kernel(now=True)


def run_cell(client, source):
    return client.execute_interactive(source, timeout=120, output_hook=lambda message: None)["content"]


def test_end_of_a_kernel(kernel, starts_it, tmp_path):
    manager, client = kernel
    for ending in ("restart", "restart now", "sigkill"):
        assert run_cell(client, starts_it() + "server.start(); note(server)")["status"] == "ok"
        noted = facts(tmp_path)
        (tmp_path / "facts.json").unlink()
        assert listens(noted["port"])
        if ending == "sigkill":
            os.kill(noted["me"], signal.SIGKILL)
        else:
            manager.restart_kernel(now=ending == "restart now")
        wait_gone(noted)
        if ending != "sigkill":
            client.wait_for_ready(timeout=120)


def test_failed_and_interrupted_cells(kernel, starts_it, tmp_path):
    manager, client = kernel
    failed = run_cell(client, starts_it() + "with server:\n    note(server)\n    1 / 0\n")
    assert failed["ename"] == "ZeroDivisionError"
    wait_gone(facts(tmp_path))
    run_cell(client, "server.start()")
    (tmp_path / "facts.json").unlink()
    waits = "note(server)\nwith Server(server.command) as inner:\n    note(inner)\n    time.sleep(600)"
    request = client.execute(waits)
    outer, inner = None, None
    while inner is None:
        noted = facts(tmp_path)
        outer = outer or noted
        inner = noted if noted["pid"] != outer["pid"] else None
    manager.interrupt_kernel()
    until(lambda: client.get_shell_msg(timeout=120)["parent_header"]["msg_id"] == request)
    wait_gone(inner)
    assert psutil.pid_exists(outer["pid"]) and listens(outer["port"])  # the next cell may want it
    run_cell(client, "server.stop()")
    wait_gone(outer)


def notebook(tmp_path, *cells) -> Path:
    path = tmp_path / "lesson.ipynb"
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    book.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(book, path)
    return path


def test_nbval(starts_it, tmp_path):
    path = notebook(
        tmp_path,
        starts_it() + "open_in_many_cells = Server(server.command).start()",
        "with server:\n    note(server)\n    1 / 0",
    )
    environment = os.environ | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-p",
        "nbval.plugin",
        "--nbval-lax",
        "-c",
        os.devnull,
        str(path),
    ]
    result = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=240
    )
    assert result.returncode == 1 and "ZeroDivisionError" in result.stdout
    assert "1 passed" in result.stdout, result.stdout
    wait_gone(facts(tmp_path))


def test_papermill_fails(starts_it, tmp_path):
    path = notebook(tmp_path, starts_it() + "server.start(); note(server)", "1 / 0")
    command = [sys.executable, "-m", "papermill", str(path), str(tmp_path / "out.ipynb")]
    result = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=240)
    assert result.returncode == 1 and "ZeroDivisionError" in result.stderr
    wait_gone(facts(tmp_path))


def test_papermill_killed(starts_it, tmp_path):
    path = notebook(tmp_path, starts_it() + "server.start(); note(server)", "time.sleep(600)")
    command = [sys.executable, "-m", "papermill", str(path), str(tmp_path / "out.ipynb")]
    process = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        noted = facts(tmp_path)
    finally:
        process.kill()
        process.wait()
    wait_gone(noted)
    until(lambda: not psutil.pid_exists(noted["me"]), what="the end of the kernel")
