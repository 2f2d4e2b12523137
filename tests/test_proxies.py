"""Proxies of the environment: loopback is asked directly, and a proxy that cannot be used is one sentence."""

import os
import shutil
import subprocess
import sys

import httpx2
import numpy as np
import pytest

from fsdl_course.setup import installer
from fsdl_deploy import proxies
from fsdl_deploy.paths import ROOT
from fsdl_deploy.picture import encode
from fsdl_deploy.remote import RemoteReader
from fsdl_deploy.running import stations

NOBODY = "http://127.0.0.1:9"  # a proxy that would answer nothing
KINDS = {
    "http": {"HTTP_PROXY": NOBODY, "HTTPS_PROXY": NOBODY},
    "lower": {"http_proxy": NOBODY, "https_proxy": NOBODY, "all_proxy": NOBODY},
    "no scheme": {"HTTP_PROXY": "127.0.0.1:9", "ALL_PROXY": "127.0.0.1:9"},
    "socks": {"ALL_PROXY": "socks://127.0.0.1:9", "all_proxy": "socks://127.0.0.1:9"},
    "socks5": {"ALL_PROXY": "socks5://127.0.0.1:9", "HTTP_PROXY": NOBODY},
    "socks5 for http": {"HTTP_PROXY": "socks5h://127.0.0.1:9", "HTTPS_PROXY": "socks5h://127.0.0.1:9"},
    "brackets": {"HTTP_PROXY": NOBODY, "NO_PROXY": "localhost,127.0.0.1,[::1]"},
    "another": {"HTTP_PROXY": NOBODY, "NO_PROXY": "example.com", "no_proxy": "example.org 2001:db8::/32"},
    "asterisk": {"ALL_PROXY": "socks://127.0.0.1:9", "NO_PROXY": "localhost,*"},
    "no port": {"HTTP_PROXY": "http://user:p#ss@127.0.0.1:9"},
}
# What the programs of the course ask with. Each prints its name and the status that the service answers with.
ASKS = {
    "httpx2": "import httpx2; print('httpx2', httpx2.get(url).status_code); httpx2.Client()",
    "requests": "import requests; print('requests', requests.get(url).status_code)",
    "urllib": "import urllib.request; print('urllib', urllib.request.urlopen(url).status)",
}
CORE_ASKS = ASKS | {
    "boto3": "from botocore.utils import get_environ_proxies as of; print('boto3', of(url) or 200)",
    "jupyterlab": "import jupyterlab.extensions.pypi; print('jupyterlab', 200)",
    "child": """
import subprocess, sys
program = f"import urllib.request; print('child', urllib.request.urlopen({url!r}).status)"
sys.stdout.flush()
subprocess.run([sys._base_executable, "-c", program], check=True)
""",
    "curl": """
import shutil
if shutil.which("curl"):
    command = ["curl", "-sS", "-o", "-", "-w", "\\ncurl %{http_code}", url]
    print(subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()[-1])
""",
}


def environ(kind: str) -> dict[str, str]:
    """This process's environment with nothing said about proxies but what ``kind`` says."""
    names = {*os.environ} - {proxies.LEFT_OUT}
    return {n: os.environ[n] for n in names if not n.lower().endswith("_proxy")} | KINDS[kind]


def ask(python, programs: dict[str, str], url: str, kind: str) -> list[list[str]]:
    """What the programs print, a list of words for each line; they run in one interpreter."""
    command = [str(python), "-c", "\n".join([f"url = {url + '/healthz'!r}", *programs.values()])]
    given = environ(kind) | {"LC_ALL": "C"}
    process = subprocess.run(command, env=given, capture_output=True, text=True, timeout=240)
    assert process.returncode == 0, process.stdout + process.stderr
    return [line.split() for line in process.stdout.splitlines()]


@pytest.mark.parametrize("kind", KINDS)
def test_whoever_asks_loopback_asks_it_directly(server, kind):
    clients = [name for name in CORE_ASKS if name != "curl" or shutil.which("curl")]
    assert ask(sys.executable, CORE_ASKS, server.url, kind) == [[name, "200"] for name in clients]


@pytest.mark.parametrize("kind", KINDS)
def test_the_program_of_a_station_asks_directly_too(server, kind):
    assert ask(stations.python("streamlit"), ASKS, server.url, kind) == [[name, "200"] for name in ASKS]


@pytest.mark.parametrize("kind", KINDS)
def test_a_command_reads_from_a_service_of_this_machine(server, kind, tmp_path):
    picture = tmp_path / "card.png"
    picture.write_bytes(encode(np.full((28, 123), 255, np.uint8)))
    command = [sys.executable, "-m", "fsdl_deploy.cli", "read", str(picture), "--url", server.url]
    # -S: an interpreter that the set-up did not make
    site = (
        f"import sys; sys.path += {[path for path in sys.path if path]!r}; from fsdl_deploy.cli import main"
    )
    if kind in ("socks", "brackets"):
        command = [sys.executable, "-S", "-c", f"{site}; sys.exit(main({command[3:]!r}))"]
    process = subprocess.run(
        command, env=environ(kind), cwd=ROOT, capture_output=True, text=True, timeout=120
    )
    assert process.returncode == 0 and "card.png" in process.stdout, process.stderr


@pytest.mark.parametrize(
    ("kind", "names"),
    [("socks", ["ALL_PROXY"]), ("socks5 for http", ["HTTP_PROXY"]), ("no port", ["HTTP_PROXY"])],
)
def test_another_machine_behind_an_unusable_proxy_is_one_sentence(kind, names, tmp_path):
    picture = tmp_path / "card.png"
    picture.write_bytes(encode(np.full((28, 123), 255, np.uint8)))
    command = [sys.executable, "-m", "fsdl_deploy.cli", "read", str(picture), "--url", "http://model.example"]
    process = subprocess.run(
        command, env=environ(kind), cwd=ROOT, capture_output=True, text=True, timeout=120
    )
    assert process.returncode == 1 and len(process.stderr.splitlines()) == 1, process.stderr
    assert all(name in process.stderr.upper() for name in names) and "unset it" in process.stderr
    assert "p#ss" not in process.stderr


def test_another_machine_is_asked_through_the_proxy(server, monkeypatch):
    for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
        monkeypatch.delenv(name)
    # What the service here gets is a request for http://model.example/readyz, as a proxy would.
    for name, value in {"HTTP_PROXY": server.url, "ALL_PROXY": "socks://x:1", "NO_PROXY": "[::1]"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("no_proxy", "")
    with RemoteReader("http://model.example", retries=0) as reader:
        assert reader.model_version == "fake"


# -- settle


def test_without_a_proxy_nothing_changes():
    for given in ({}, {"NO_PROXY": "[::1]"}, {"HTTP_PROXY": ""}, {"PATH": "/bin"}):
        settled = dict(given)
        proxies.settle(settled)
        assert settled == given and proxies.problems(given) == []


@pytest.mark.parametrize("kind", KINDS)
def test_every_client_takes_what_settle_leaves(kind, monkeypatch):
    given = dict(KINDS[kind])
    proxies.settle(given)
    once = dict(given)
    proxies.settle(given)
    assert given == once
    for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
        monkeypatch.delenv(name)
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    with httpx2.Client() as client:
        for host in ("localhost", "127.0.0.1", "[::1]"):
            pool = client._transport_for_url(httpx2.URL(f"http://{host}:8000"))._pool
            assert "Proxy" not in type(pool).__name__


@pytest.mark.parametrize(
    ("entry", "left"),
    [
        *[
            ("[::1]", "::1"),
            ("[::1]:8000", "::1"),
            ("10.0.0.0/8", "10.0.0.0/8"),
            (".example.com", ".example.com"),
        ],
        *[("*.example.com", "*.example.com"), ("host:8000", "host:8000"), ("a:b", ""), ("2001:db8::/32", "")],
        *[
            ("bücher.example", "xn--bcher-kva.example"),
            ("\udcff.example", ""),
            ("a\tb", "a,b"),
            ("a;b", "a,b"),
        ],
        *[("<local>", ""), ("foo://bar:baz", ""), ("::1::2", "")],
    ],
)
def test_no_proxy_as_every_client_can_read_it(entry, left):
    given = {"HTTPS_PROXY": NOBODY, "NO_PROXY": entry}
    proxies.settle(given)
    local = [name for name in proxies.LOCAL if name != left]
    assert given["NO_PROXY"] == given["no_proxy"] == ",".join([*filter(None, [left]), *local])


def test_a_program_that_knows_socks_gets_back_what_another_left_out():
    given = {"ALL_PROXY": "socks5://127.0.0.1:1080", "HTTPS_PROXY": "socks://127.0.0.1:1"}
    proxies.settle(given, socks=False)
    assert given.keys() == {"NO_PROXY", "no_proxy", proxies.LEFT_OUT}
    proxies.settle(given, socks=True)
    assert given["ALL_PROXY"] == "socks5://127.0.0.1:1080" and "HTTPS_PROXY" not in given
    assert any("HTTPS_PROXY=socks://127.0.0.1:1" in sentence for sentence in proxies.problems(given))


def test_what_a_user_sets_anew_counts():
    given = {proxies.LEFT_OUT: "ALL_PROXY=socks://127.0.0.1:1", "ALL_PROXY": NOBODY}
    proxies.settle(given)
    assert given["ALL_PROXY"] == NOBODY and proxies.LEFT_OUT not in given


def test_a_problem_names_the_variable_and_no_password():
    (sentence,) = proxies.problems({"all_proxy": "socks5://ann:secret@vpn.example:1080"})
    assert sentence.startswith("all_proxy=socks5://…@vpn.example:1080 cannot be used")
    (sentence,) = proxies.problems({"HTTP_PROXY": "ann:s#cret@vpn.example:port"})
    assert "cret" not in sentence


@pytest.mark.parametrize(
    ("given", "scheme", "host", "missing"),
    [
        ({"ALL_PROXY": "socks://x:1"}, "http", "model.example", True),
        ({"ALL_PROXY": "socks://x:1", "HTTP_PROXY": NOBODY}, "http", "model.example", False),
        ({"ALL_PROXY": "socks://x:1", "HTTP_PROXY": NOBODY}, "https", "model.example", True),
        ({"ALL_PROXY": "socks://x:1", "NO_PROXY": ".example"}, "https", "model.example", False),
        ({"ALL_PROXY": "socks://x:1", "NO_PROXY": "*"}, "https", "model.example", False),
        ({"HTTP_PROXY": "socks://x:1"}, "https", "model.example", False),
    ],
)
def test_which_requests_miss_their_proxy(given, scheme, host, missing):
    assert bool(proxies.missing_for(scheme, host, given)) == missing


def test_children_of_the_set_up_get_settled_variables(monkeypatch):
    for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("ALL_PROXY", "socks://127.0.0.1:7890")
    environ = installer.clean_environ(ROOT / ".venv" / "bin" / "python")
    assert "ALL_PROXY" not in environ and "127.0.0.1" in environ["NO_PROXY"]
    assert os.environ["ALL_PROXY"] == "socks://127.0.0.1:7890"
