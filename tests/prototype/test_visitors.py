"""Visitors of a page: they see for how long it is away, and what there is to keep alive."""

import http.server
import os
import subprocess
import sys
import threading

from fsdl_deploy.prototype import visitors


def test_a_page_that_answers_is_never_away_and_one_that_is_gone_is():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), http.server.SimpleHTTPRequestHandler)
    server.RequestHandlerClass.log_message = lambda *_: None
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    url, pause = f"http://127.0.0.1:{server.server_port}", threading.Event()
    there = visitors.away_while(url, lambda: pause.wait(0.3))

    def end():
        server.shutdown()
        server.server_close()
        pause.wait(0.5)

    gone = visitors.away_while(url, end)
    thread.join()
    assert there == (0, 0.0)
    assert gone.refused >= 2 and gone.seconds > 0


def test_a_footprint_counts_children_and_listening_addresses():
    listening = "import socket, sys; s = socket.create_server(('127.0.0.1', 0)); print(flush=True); input()"
    before = visitors.footprint(os.getpid())
    with subprocess.Popen(
        [sys.executable, "-c", listening], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        process.stdout.readline()
        assert visitors.footprint(process.pid) == (1, 1)
        assert visitors.footprint(os.getpid()).processes == before.processes + 1
        process.stdin.write(b"\n")
