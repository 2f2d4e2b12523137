"""The smallest web server, as the tutorial behind the lecture's slide has one: says hello on port 80"""

import os
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class HelloHandler(BaseHTTPRequestHandler):
    """Greets whomever the variable NAME names."""

    def do_GET(self) -> None:
        body = f"Hello {os.environ['NAME']}!".encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


if __name__ == "__main__":
    ThreadingHTTPServer(("0.0.0.0", 80), HelloHandler).serve_forever()
