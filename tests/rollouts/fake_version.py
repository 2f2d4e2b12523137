"""``fake_version.py PORT LOG KIND``: a version that reads what X-Truth says, and logs it as the service does

KIND: "good"; "bad" misreads every third card; "slow" needs half a second for every tenth; "failing" answers
every tenth with a 500; "hung" answers after a minute. On SIGTERM it ends once all that it has taken is
answered.
"""

import http.server
import json
import signal
import sys
import threading
import time


class Version(http.server.BaseHTTPRequestHandler):
    protocol_version, wbufsize = "HTTP/1.1", -1  # head and body in one packet

    def do_GET(self):
        self.answer(200, b"{}")

    def do_POST(self):
        begin = time.perf_counter()
        self.rfile.read(int(self.headers["Content-Length"]))
        with server.counting:
            server.count += 1
            server.all += 1
            number = server.all
        digits, kind = self.headers.get("X-Truth", "12345"), sys.argv[3]
        if kind == "bad" and number % 3 == 0:
            digits = str((int(digits[0]) + 5) % 10) + digits[1:]
        if kind == "slow" and number % 10 == 0:
            time.sleep(0.5)
        if kind == "hung":
            time.sleep(60)
        status = 500 if kind == "failing" and number % 10 == 0 else 200
        reading = {"digits": digits, "confidence": 0.95}
        line = {"id": self.headers["X-Request-Id"], "status": status}
        line["seconds"] = round(time.perf_counter() - begin, 4)
        if status == 200:
            line |= {"version": kind, "digits": [digits], "confidence": [0.95]}
        with server.counting, open(sys.argv[2], "a") as log:
            log.write(json.dumps(line) + "\n")
        self.answer(status, json.dumps({"model_version": kind, "readings": [reading]}).encode())
        with server.counting:
            server.count -= 1

    def answer(self, status, body):
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("X-Model-Version", sys.argv[3])
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()

    def log_message(self, *_):
        pass


class Server(http.server.ThreadingHTTPServer):
    daemon_threads, request_queue_size = True, 128
    count, all, counting = 0, 0, threading.Lock()


def end(*_):
    threading.Thread(target=server.shutdown).start()


if __name__ == "__main__":
    open(sys.argv[2], "a").close()
    server = Server(("127.0.0.1", int(sys.argv[1])), Version)
    signal.signal(signal.SIGTERM, end)
    server.serve_forever(poll_interval=0.02)
    server.server_close()
    while server.count:
        time.sleep(0.01)
