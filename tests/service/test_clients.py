"""Clients as people use them: Java's, curl with HTTP/2, Node's fetch, and a page of another origin."""

import base64
import gzip
import http.server
import json
import shutil
import subprocess
import threading

import numpy as np
import pytest
from fake_service import fake_server

from fsdl_deploy.picture import encode

PNG = encode(np.full((32, 64), 200, np.uint8))
BODY = json.dumps({"pictures": [base64.b64encode(PNG).decode()]})

JAVA = """
import java.io.ByteArrayInputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;

public class Ask {
    public static void main(String[] words) throws Exception {
        HttpClient client = HttpClient.newHttpClient();  // it prefers HTTP/2, and offers it with Upgrade: h2c
        byte[] body = words[1].getBytes();
        var bodies = new HttpRequest.BodyPublisher[] {
            BodyPublishers.ofByteArray(body),
            BodyPublishers.ofInputStream(() -> new ByteArrayInputStream(body)),  // in chunks
        };
        for (var publisher : bodies) {
            var request = HttpRequest.newBuilder(URI.create(words[0] + "/read"))
                .header("Content-Type", "application/json").POST(publisher).build();
            var answer = client.send(request, BodyHandlers.ofString());
            System.out.println(answer.statusCode() + " " + answer.version() + " " + answer.body());
        }
        var alive = HttpRequest.newBuilder(URI.create(words[0] + "/healthz")).expectContinue(false).build();
        System.out.println(client.send(alive, BodyHandlers.ofString()).statusCode());
    }
}
"""
NODE = """
const [url, body] = process.argv.slice(2);
const sent = {method: "POST", headers: {"content-type": "application/json"}};
const whole = await fetch(url + "/read", {...sent, body});
const stream = new Blob([body]).stream();  // in chunks
const streamed = await fetch(url + "/read", {...sent, body: stream, duplex: "half"});
const form = new FormData();
form.append("pictures", new Blob([Buffer.from(JSON.parse(body).pictures[0], "base64")]), "Zähler.png");
const posted = await fetch(url + "/read", {method: "POST", body: form});
for (const answer of [whole, streamed, posted])
    console.log(answer.status, (await answer.json()).readings[0].digits);
"""


@pytest.fixture(scope="module", params=[(), ("--h11",)], ids=["httptools", "h11"])
def server(request):
    with fake_server(*request.param) as server:
        yield server


def printed(*command, **settings) -> list[str]:
    process = subprocess.run(command, capture_output=True, text=True, timeout=120, **settings)
    assert process.returncode == 0, process.stderr
    return process.stdout.splitlines()


@pytest.mark.skipif(not shutil.which("javac"), reason="no JDK is on PATH")
def test_javas_client(server, tmp_path):
    (tmp_path / "Ask.java").write_text(JAVA)
    whole, chunked, alive = printed("java", "-Xshare:auto", tmp_path / "Ask.java", server.url, BODY)
    for answer in (whole, chunked):
        assert answer.startswith("200 HTTP_1_1 ") and '"digits":"64"' in answer
    assert alive == "200"


@pytest.mark.skipif(not shutil.which("curl"), reason="curl is not on PATH")
@pytest.mark.parametrize("version", ["--http1.0", "--http1.1", "--http2"])
def test_curl(server, tmp_path, version):
    (tmp_path / "card.png").write_bytes(PNG)
    (tmp_path / "body.gz").write_bytes(gzip.compress(BODY.encode()))
    curl, url = ["curl", "-sS", "--noproxy", "*", version, "--compressed"], server.url + "/read"
    asks = [["-d", BODY], ["-F", "pictures=@card.png", "-H", "Expect: 100-continue"]]
    packed = ["-H", "Content-Encoding: gzip", "-H", "Content-Type: application/json"]
    asks += [["--data-binary", "@body.gz", *packed]]
    if version != "--http1.0":  # which has no chunks
        asks += [["-d", BODY, "-H", "Transfer-Encoding: chunked"]]
    for words in asks:
        (answer,) = printed(*curl, *words, url, cwd=tmp_path)
        assert json.loads(answer)["readings"][0]["digits"] == "64", (words, answer)


@pytest.mark.skipif(not shutil.which("node"), reason="Node is not on PATH")
def test_nodes_fetch(server, tmp_path):
    (tmp_path / "ask.mjs").write_text(NODE)
    assert printed("node", tmp_path / "ask.mjs", server.url, BODY) == ["200 64"] * 3


class Page(http.server.BaseHTTPRequestHandler):
    """An empty page."""

    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.send_header("Content-Type", "text/html")
        self.end_headers()

    def log_message(self, *_):
        pass


ASK = """async ([url, body]) => {
    const headers = {"content-type": "application/json", "x-request-id": "from-a-page"};
    try {
        const answer = await fetch(url + "/read", {method: "POST", headers, body});
        return [answer.status, answer.headers.get("x-request-id"), await answer.text()];
    } catch (error) { return [0, "", String(error)]; }
}"""


def test_a_page_of_another_origin(browser):
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Page) as pages:
        threading.Thread(target=pages.serve_forever).start()
        origin = f"http://127.0.0.1:{pages.server_address[1]}"
        page = browser.new_page()
        try:
            page.goto(origin)
            with fake_server("--allow-origins", origin) as allowed, fake_server() as other:
                status, request_id, text = page.evaluate(ASK, [allowed.url, BODY])
                assert (status, request_id) == (200, "from-a-page") and '"digits":"64"' in text
                assert page.evaluate(ASK, [allowed.url, "{"])[0] == 400, "a page may read refusals too"
                assert page.evaluate(ASK, [other.url, BODY])[0] == 0
        finally:
            page.close()
            pages.shutdown()
