"""``fake_replica.py PORT SECONDS``: answers every POST after so many seconds

GET says how many POSTs are under way now, how many were at most, and how many there have been. On SIGTERM it
ends once all that it has taken is answered.
"""

import http.server
import os
import signal
import sys
import threading
import time


class Replica(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.answer(f"{server.count} {server.most} {server.all}".encode())

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        with server.under_way:
            server.count += 1
            server.all += 1
            server.most = max(server.most, server.count)
        time.sleep(float(sys.argv[2]))
        self.answer(os.environ.get("ANSWER", "read").encode())
        with server.under_way:
            server.count -= 1

    def answer(self, body):
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        if server.ending:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()

    def log_message(self, *_):
        pass


class Server(http.server.ThreadingHTTPServer):
    daemon_threads, request_queue_size = True, 128
    count, most, all, ending, under_way = 0, 0, 0, False, threading.Lock()


def end(*_):
    server.ending = True
    threading.Thread(target=server.shutdown).start()


if __name__ == "__main__":
    server = Server(("127.0.0.1", int(sys.argv[1])), Replica)
    signal.signal(signal.SIGTERM, end)
    server.serve_forever(poll_interval=0.02)
    server.server_close()
    while server.count:
        time.sleep(0.01)
