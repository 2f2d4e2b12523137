"""Updates under a hostile or careless hand; needs the station ``node``: stations.station("node")."""

import base64
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from fsdl_deploy import files
from fsdl_deploy.browser import signing
from fsdl_deploy.browser.link import Fault
from fsdl_deploy.browser.scenes import blind_model, reads
from fsdl_deploy.browser.site import envelope

PATIENCE = 60_000


def signed(site, **changes) -> bytes:
    """A manifest of the release that is out, rightly signed, with other contents."""
    payload = json.dumps(json.loads(site.current().payload()) | changes).encode()
    return wrapped(payload, signing.sign(site.key, payload))


def wrapped(payload: bytes, signature: str) -> bytes:
    return json.dumps({"payload": base64.b64encode(payload).decode(), "signature": signature}).encode()


FILE = {"path": "files/" + "0" * 64, "sha256": "0" * 64, "bytes": 10}
# What a careless publisher may sign, and the word by which the app refuses it.
CARELESS = {
    "of another kind": ({"kind": "something else"}, "incompatible"),
    "of a later format": ({"format": 2}, "incompatible"),
    "no number": ({"version": "9"}, "malformed"),
    "negative": ({"version": -1}, "malformed"),
    "infinite": ({"version": 1e400}, "malformed"),
    "no date": ({"expires": "soon"}, "malformed"),
    "no files": ({"files": {}}, "malformed"),
    "files of nothing": ({"files": {"model": None, "settings": None}}, "malformed"),
    "a path that leaves": ({"files": {"model": FILE | {"path": "../sw.js"}, "settings": FILE}}, "malformed"),
    "another hash": ({"files": {"model": FILE | {"sha256": "1" * 64}, "settings": FILE}}, "malformed"),
    "gigabytes": ({"files": {"model": FILE | {"bytes": 2**40}, "settings": FILE}}, "malformed"),
    "a file that is not there": ({"files": {"model": FILE, "settings": FILE}, "version": 50}, "missing"),
}


def hostile(site) -> dict[str, tuple[bytes, str]]:
    """Manifests from somebody without the key."""
    good = json.loads(site.manifest.read_bytes())
    payload = base64.b64decode(good["payload"])
    newer = payload.replace(b'"version": 1', b'"version": 9')
    assert newer != payload
    return {
        "empty": (b"", "malformed"),
        "cut off": (site.manifest.read_bytes()[:-20], "malformed"),
        "a web page": (b"<html>log in to this network first</html>", "malformed"),
        "a list": (b"[]", "malformed"),
        "null": (b"null", "malformed"),
        "not UTF-8": (b"\xff\xfe{}", "malformed"),
        "long": (b" " * 20_000, "endless"),
        "deep": (b"[" * 10_000, "malformed"),
        "no signature": (wrapped(payload, ""), "wrong key"),
        "a short signature": (wrapped(payload, good["signature"][:20]), "wrong key"),
        "a changed version": (wrapped(newer, good["signature"]), "wrong key"),
    }


def test_whatever_is_served_as_manifest_the_old_model_reads_on(stage):
    page = stage.fresh("v1").open()
    site = stage.app.site
    honest = site.manifest.read_bytes()
    for name, (manifest, reason) in hostile(site).items():
        files.write(site.manifest, manifest)
        assert page.look() == reason, name
        page_text = page.shows()
        assert "Release 1 reads on" in page_text["news"] and f"({reason})" in page_text["news"], name
    files.write(site.manifest, honest)
    for name, (changes, reason) in CARELESS.items():
        files.write(site.manifest, signed(site, **({"version": 2} | changes)))
        assert page.look() == reason, name
        files.write(site.manifest, honest)
    reads(page, "v1")
    page.reload()
    reads(page, "v1")


def test_two_releases_of_one_number_are_not_both_taken(stage):
    page = stage.fresh("v1").open()
    stage.app.site.publish("v2", version=1)
    assert page.look() == "mixed"
    reads(page, "v1")


def test_a_clock_that_was_set_back_does_not_revive_an_expired_release(stage):
    page = stage.fresh("v1").open()
    site, now = stage.app.site, datetime.now(UTC)
    page.do(lambda tab: tab.clock.set_fixed_time(now - timedelta(days=30)))
    old = replace(site.current(), version=2, published=now - timedelta(9), expires=now - timedelta(2))
    files.write(site.manifest, envelope(old, site.key))
    assert page.look() == "freeze"


def test_an_expired_release_reads_on_without_a_link_and_is_renewed(stage):
    page = stage.fresh("v1").open()
    site = stage.app.site
    stage.app.stop()
    page.do(lambda tab: tab.clock.set_fixed_time(datetime.now(UTC) + timedelta(days=30)))
    page.reload()
    reads(page, "v1")
    assert "since it expired" in page.shows()["release"]
    stage.app.start()
    assert page.look() == "freeze"
    site.renew(days=60)
    before = stage.app.link.asked.copy()
    assert page.look() == "updated" and page.shows()["release"].startswith("Release 2")
    again = set(stage.app.link.asked - before) - {"sw.js"}  # a browser asks for it when it likes
    assert again == {"releases/current.json"}, "what is here already was fetched again"


def test_what_the_browser_lost_is_fetched_again(stage):
    page = stage.fresh("v1").open()
    page.run("async () => (await caches.open('release-1')).delete('/model')")
    page.reload()
    reads(page, "v1")
    page.run("async () => { for (const name of await caches.keys()) await caches.delete(name); }")
    page.reload()
    reads(page, "v1")


def test_what_the_browser_spoiled_is_passed_over_for_the_release_before(stage):
    page = stage.fresh("v1").open()
    stage.publish("v2")
    assert page.look() == "updated"
    page.run("async () => (await caches.open('release-2')).put('/model', new Response('spoiled'))")
    stage.app.stop()
    page.reload()
    reads(page, "v1")


def test_two_tabs_look_at_once(stage):
    page = stage.fresh("v1").open()
    other = type(page)(stage.browser, stage.app.url).open()
    stage.publish("v2")
    script = "async () => { window.looked = (await import('./main.js')).app.look(); }"
    for tab in (page, other):
        tab.run(script)
    assert sorted(tab.run("() => window.looked") for tab in (page, other)) == ["newest", "updated"]
    other.reload()
    reads(other, "v2")


def test_a_tab_that_is_closed_in_the_middle_leaves_the_old_model(stage):
    page = stage.fresh("v1").open()
    model = f"releases/{stage.publish('v2').files['model']['path']}"
    stage.app.link.faults = {model: Fault(silent=True)}
    page.run("async () => { (await import('./main.js')).app.look(); }")
    page.do(lambda tab: tab.wait_for_timeout(200))
    page.do(lambda tab: tab.close())
    other = type(page)(stage.browser, stage.app.url).open()
    reads(other, "v1")


def test_a_first_model_that_cannot_read_is_not_taken(stage):
    page = stage.fresh(blind_model()).open(wait=False)
    page.do(lambda tab: tab.wait_for_selector("#again:visible", timeout=PATIENCE))
    assert "built-in cards" in page.shows()["news"]
    stage.publish("v2")
    page.press("again")
    page.do(lambda tab: tab.wait_for_selector("#read:enabled", timeout=PATIENCE))
    reads(page, "v2")


def test_a_model_that_never_ends_its_trial_is_stopped(stage):
    page = stage.fresh("v1").open()
    stage.publish("v2")
    # The trial begins and never ends: as with a model whose first reading takes for ever.
    silent = "self.onmessage = () => self.postMessage({begun: true});"
    page.do(lambda tab: tab.clock.install())
    page.run(
        "async (text) => { for (const name of await caches.keys()) if (name.startsWith('app-'))"
        " await (await caches.open(name)).put(new URL('trial.js', location.href).href,"
        " new Response(text, {headers: {'content-type': 'text/javascript',"
        " 'cross-origin-embedder-policy': 'require-corp'}})); }",
        silent,
    )
    page.run(
        "async () => { const {app} = await import('./main.js');"
        " app.look().then((answer) => { window.looked = answer; }); }"
    )
    page.do(lambda tab: tab.wait_for_timeout(1500))
    page.do(lambda tab: tab.clock.fast_forward(600_000))
    page.do(lambda tab: tab.wait_for_timeout(300))
    assert page.run("() => window.looked ?? null") is None, "a device that slept has condemned the model"
    page.do(lambda tab: tab.clock.run_for(31_000))
    page.do(lambda tab: tab.wait_for_function("() => window.looked", timeout=PATIENCE))
    assert page.run("() => window.looked") == "bad model"
    reads(page, "v1")


def test_a_new_version_of_the_page_waits_for_the_person(stage, monkeypatch):
    page = stage.fresh("v1").open()
    site, app = stage.app.site, stage.app
    app.stop()
    newer = type(app)(site, "http://127.0.0.1:9", app.port)  # another config.json: another version of the app
    stage.app = newer.start()
    page.reload()
    page.do(lambda tab: tab.wait_for_selector("#reload:visible", timeout=PATIENCE))
    assert page.run("async () => (await (await fetch('config.json')).json()).service") is None
    page.do(lambda tab: tab.click("#reload"))
    # The question comes with the settings, before the model: only an enabled button says that it reads.
    page.do(lambda tab: tab.wait_for_selector("body:has(#asking:visible) #read:enabled", timeout=PATIENCE))
    names = page.run("async () => (await caches.keys()).filter((name) => name.startsWith('app-')).length")
    assert names == 1
    reads(page, "v1")
