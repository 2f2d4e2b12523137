"""The app's server and its site; needs the station ``node``: stations.station("node")."""

import stat
from concurrent.futures import ThreadPoolExecutor

import httpx2
import pytest

from fsdl_deploy import weights
from fsdl_deploy.browser import app_files, key_command, publish_command, self_test, signing
from fsdl_deploy.browser.app_command import main as app_main
from fsdl_deploy.browser.link import Fault
from fsdl_deploy.browser.scenes import blind_model
from fsdl_deploy.browser.serving import ServedApp
from fsdl_deploy.browser.site import Site
from fsdl_deploy.cli import main
from fsdl_deploy.picture import decode
from fsdl_deploy.reader import OnnxReader
from fsdl_deploy.running import stations


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    site = Site(tmp_path_factory.mktemp("site") / "of releases").make()
    site.publish("v1")
    return site


@pytest.fixture(scope="module")
def served(site):
    with ServedApp(site, "https://service.example") as served:
        yield served


@pytest.fixture(scope="module")
def client(served):
    with httpx2.Client(base_url=served.url, trust_env=False) as client:
        yield client


def test_each_file_has_its_type_and_the_policy(client, site):
    kinds = {
        "": "text/html",
        "main.js": "text/javascript",
        "ort/ort.wasm.min.mjs": "text/javascript",
        "ort/ort-wasm-simd-threaded.wasm": "application/wasm",
        "manifest.webmanifest": "application/manifest+json",
        "releases/current.json": "application/json",
    }
    for path, kind in kinds.items():
        answer = client.get(path)
        assert answer.status_code == 200 and answer.headers["content-type"].startswith(kind), path
        rules = answer.headers["content-security-policy"]
        assert "default-src 'none'" in rules and "connect-src 'self' https://service.example;" in rules
        assert "unsafe-inline" not in rules and "'unsafe-eval'" not in rules
        assert answer.headers["cross-origin-embedder-policy"] == "require-corp"


def test_what_is_sent_is_compressed_and_asked_for_once(client):
    path = "ort/ort-wasm-simd-threaded.wasm"
    plain = client.get(path, headers={"accept-encoding": "identity"})
    packed = client.get(path, headers={"accept-encoding": "gzip"})
    assert packed.headers["content-encoding"] == "gzip" and "content-encoding" not in plain.headers
    assert packed.content == plain.content  # unpacked by the client
    assert int(packed.headers["content-length"]) < 0.3 * len(plain.content)
    again = client.get(path, headers={"if-none-match": packed.headers["etag"]})
    assert again.status_code == 304 and not again.content


@pytest.mark.parametrize("path", ["key.pem", "../key.pem", "..%2fkey.pem", "releases/../key.pem",
                                  "releases/files/%2e%2e%2f%2e%2e%2fkey.pem", "releases/files/" + "0" * 64,
                                  "releases/", "archive/1.json"])  # fmt: skip
def test_nothing_else_is_served(client, path):
    assert client.get(path).status_code == 404


def test_it_takes_nothing(client):
    assert client.post("releases/current.json", content=b"{}").status_code == 405


def test_the_worker_lists_what_is_served(client, site):
    files = app_files.app_files(site.public, "https://service.example")
    worker = client.get("sw.js").text
    for path, file in files.items():
        if path not in ("", "sw.js"):
            assert f'"{path}": "{file.integrity}"' in worker
    other = app_files.app_files(site.public)["sw.js"].body
    assert other != files["sw.js"].body, "another config.json is another version of the app"


def test_a_link_that_is_cut_is_counted_as_sent(served, client):
    served.link.faults["main.js"] = Fault(cut=10)
    served.link.sent.clear()
    with pytest.raises(httpx2.HTTPError):
        client.get("main.js")
    served.link.faults.clear()
    assert 10 < served.link.sent["main.js"] < 2000


def test_a_key_is_readable_by_its_owner_alone_and_is_never_replaced(site):
    assert stat.S_IMODE(site.key.stat().st_mode) == 0o600
    assert signing.public(site.key) == site.public
    before = site.key.read_bytes()
    with pytest.raises(signing.KeyProblem, match="not replaced"):
        signing.make_key(site.key)
    assert site.key.read_bytes() == before
    assert site.releases in site.manifest.parents and site.releases not in site.key.parents


def test_releases_count_up_and_keep_what_was(tmp_path):
    site = Site(tmp_path / "site").make()
    first = site.publish("v1", settings={"threshold": 0.5})
    second, third = site.publish("v2"), site.renew(days=30)
    assert [first.version, second.version, third.version] == [1, 2, 3] and site.current() == third
    assert third.files == second.files and third.expires > second.expires
    for release in (first, second):
        for file in release.files.values():
            assert (site.releases / file["path"]).stat().st_size == file["bytes"]
    assert site.read((site.archive / "1.json").read_bytes()) == first


def test_a_lost_public_half_is_derived_and_a_wrong_one_is_not_believed(tmp_path, capsys):
    folder = tmp_path / "site"
    site = Site(folder).make()
    public = site.public
    (folder / "key.public").unlink()  # it died between the two writes
    assert main(["edge", "publish", "--site", str(folder), "--model", "v1"]) == 0
    assert site.make().public == public == (folder / "key.public").read_text()
    (folder / "key.public").write_text("AAAA")
    assert main(["edge", "publish", "--site", str(folder), "--model", "v1"]) == 1
    assert "not the public half" in capsys.readouterr().err
    assert site.current().version == 1


@pytest.mark.parametrize("manifest", [b"[]", b"{", b'{"payload": "W10="}', b"null", b'{"payload": 5}'])
def test_a_broken_manifest_is_named(tmp_path, capsys, manifest):
    site = Site(tmp_path / "site")
    site.releases.mkdir(parents=True)
    site.manifest.write_bytes(manifest)
    with pytest.raises(ValueError, match=r"current\.json: this is no manifest"):
        site.current()


def test_two_publishers_at_once_sign_two_numbers(tmp_path):
    site = Site(tmp_path / "site").make()
    with ThreadPoolExecutor(4) as pool:
        releases = list(pool.map(lambda _: site.publish("v1"), range(4)))
    assert sorted(release.version for release in releases) == [1, 2, 3, 4]
    assert site.current().version == 4


def test_what_the_app_would_not_use_is_not_signed(tmp_path, capsys):
    folder, file = tmp_path / "site", tmp_path / "model.onnx"
    Site(folder).make()
    bad = {
        b"no model": "no reader in ONNX",
        b"": "no reader in ONNX",
        bytes(17_000_000): "17,000,000 bytes",
        bytes(1_000_001): "the app's budget",
        blind_model(): "0 of the 8 cards",
    }
    for content, reason in bad.items():
        file.write_bytes(content)
        assert main(["edge", "publish", "--site", str(folder), "--file", str(file)]) == 1
        assert reason in capsys.readouterr().err
    assert Site(folder).current() is None
    file.write_bytes(weights.verified("v1.onnx"))
    assert main(["edge", "publish", "--site", str(folder), "--file", str(file)]) == 0


def test_the_commands_say_what_to_do(tmp_path, capsys):
    assert stations.station("node").node_modules  # the commands would say themselves that it is not built
    folder = tmp_path / "new"
    assert main(["edge", "publish", "--site", str(folder)]) == 1
    assert "fsdl-deploy edge key" in capsys.readouterr().err
    assert main(["edge", "key", "--site", str(folder)]) == 0
    assert main(["edge", "key", "--site", str(folder)]) == 1
    assert main(["edge", "publish", "--site", str(folder), "--model", "v9"]) == 1
    assert main(["edge", "publish", "--site", str(folder), "--days", "0"]) == 1
    assert main(["edge", "publish", "--site", str(folder), "--model", "v1"]) == 0
    assert "release 1: v1" in capsys.readouterr().out
    assert main(["edge", "app", "--site", str(folder), "--service", "https://a/b"]) == 1
    assert "origin" in capsys.readouterr().err
    assert app_main and key_command and publish_command


def test_the_built_in_cards_are_those_of_the_generator_and_every_good_model_reads_them():
    import base64
    import json

    assert self_test.FILE.read_text() == self_test.content()
    content = json.loads(self_test.content())
    pictures = [decode(base64.b64decode(card["png"])) for card in content["cards"]]
    for version in ("v1", "v2", "teacher"):
        readings = OnnxReader(version).read(pictures)
        right = sum(r.digits == c["digits"] for r, c in zip(readings, content["cards"], strict=True))
        assert right == len(pictures), version
