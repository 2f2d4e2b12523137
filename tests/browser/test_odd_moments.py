"""The app at odd moments: two tabs, lost files, a full device, no https; needs the station ``node``.

stations.station("node")
"""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from fsdl_deploy import files
from fsdl_deploy.browser.link import Fault
from fsdl_deploy.browser.scenes import RUNTIME, reads
from fsdl_deploy.browser.site import envelope

PATIENCE = 60_000
CUT = {RUNTIME: Fault(cut=1_000_000)}
NO_WORKER = "Object.defineProperty(Navigator.prototype, 'serviceWorker', {value: undefined});"
NO_HTTPS = "for (const [name, value] of [['isSecureContext', false], ['caches', undefined]])"
NO_HTTPS += " Object.defineProperty(window, name, {value});"

# Until the worker that comes of it is installed, or given up.
LOOK_FOR_A_PAGE = """async () => {
  const all = await navigator.serviceWorker.getRegistration();
  await all.update().catch(() => null);
  const {installing} = all;
  await new Promise((resolve) => {
    const look = () => installing?.state === "installing" || resolve();
    installing?.addEventListener("statechange", look);
    look();
  });
}"""
UNSURE = """async () => {
  (await import("./view.js")).reading({digits: "1", confidence: 0.1, by: "person", asked: "no"});
}"""


def waits(page, selector):
    page.do(lambda tab: tab.wait_for_selector(selector, timeout=PATIENCE))


def protocol(page, method, **arguments):
    """A command of Chromium's own protocol."""
    page.do(lambda tab: tab.context.new_cdp_session(tab).send(method, arguments))


def room(stage, page, size):
    """From now on this origin may store so many bytes."""
    origin = stage.app.url.rstrip("/")
    protocol(page, "Storage.overrideQuotaForOrigin", origin=origin, quotaSize=size)


def served_anew(stage, service):
    """The same site, served as another version of the page: its config.json differs."""
    former = stage.app
    former.stop()
    stage.app = type(former)(former.site, service, former.port).start()


def test_two_tabs_at_the_first_visit_both_read(stage):
    page = stage.fresh("v2").open(wait=False)
    other = type(page)(stage.browser, stage.app.url).open(wait=False)
    for tab in (page, other):
        waits(tab, "#read:enabled, #again:visible")
        reads(tab, "v2", 5)


def test_a_lost_runtime_condemns_no_model(stage):
    page = stage.fresh("v1")
    stage.browser(lambda context: context.add_init_script(NO_WORKER))
    stage.app.link.faults = dict(CUT)
    page.open(wait=False)
    waits(page, "#again:visible")
    assert "did not arrive" in page.shows()["how"]
    stage.app.link.faults.clear()
    page.do(lambda tab: tab.click("#again"))
    waits(page, "#read:enabled")
    reads(page, "v1", 5)
    protocol(page, "Network.clearBrowserCache")
    stage.publish("v2")
    stage.app.link.faults = dict(CUT)
    assert page.look() == "no trial"
    assert "not taken (no trial)" in page.shows()["news"]
    stage.app.link.faults.clear()
    assert page.look() == "updated"
    reads(page, "v2", 5)


def test_a_page_taken_back_over_a_bad_link_still_opens_without_one(stage):
    page = stage.fresh("v2").open()
    served_anew(stage, "http://127.0.0.1:9")
    page.reload()
    waits(page, "#reload:visible")
    served_anew(stage, None)
    stage.app.link.faults = {RUNTIME: Fault(cut=1000)}
    protocol(page, "Network.clearBrowserCache")
    page.run(LOOK_FOR_A_PAGE)
    stage.app.stop()
    page.reload()
    reads(page, "v2", 5)


def test_files_that_the_browser_threw_away_are_stored_again(stage):
    page = stage.fresh("v2").open()
    page.run("async () => { for (const name of await caches.keys()) await caches.delete(name); }")
    page.reload()
    assert "with or without a link" in page.shows()["how"]
    stage.app.stop()
    page.reload()
    reads(page, "v2", 5)


def test_a_full_device_says_so_and_the_old_model_reads_on(stage):
    page = stage.fresh("v1").open()
    usage = page.run("async () => (await navigator.storage.estimate()).usage")
    room(stage, page, usage + 50_000)
    stage.publish("v2")
    assert page.look() == "no room"
    assert "no room left" in page.shows()["news"] and "Release 1 reads on" in page.shows()["news"]
    reads(page, "v1", 5)


def test_a_first_visit_to_a_full_device_names_the_cause(stage):
    page = stage.fresh("v1")
    stage.app.link.faults = {"config.json": Fault(cut=10)}
    page.open(wait=False)
    waits(page, "#again:visible")
    stage.app.link.faults.clear()
    room(stage, page, 2_000_000)
    page.reload(wait=False)
    waits(page, "#again:visible")
    assert "no room left" in page.shows()["how"] and "Make room" in page.shows()["how"]


def test_a_release_dated_ahead_locks_nobody_out(stage):
    page = stage.fresh("v1").open()
    site, later = stage.app.site, datetime.now(UTC) + timedelta(days=30_000)
    ahead = replace(site.current(), version=2, published=later, expires=later + timedelta(days=7))
    files.write(site.manifest, envelope(ahead, site.key))
    assert page.look() == "updated"
    stage.publish("v2")
    assert page.look() == "updated"
    reads(page, "v2", 5)


def test_without_https_the_page_says_what_it_needs(stage):
    page = stage.fresh("v1")
    stage.browser(lambda context: context.add_init_script(NO_HTTPS))
    page.open(wait=False)
    waits(page, "#again:visible")
    assert "Open this page with https" in page.shows()["how"]
    assert "Look for a link" not in page.shows()["how"]


ASK = """async (answers) => {
  const {ask} = await import("./service.js"), former = window.fetch, heard = [];
  for (const [status, body] of answers) {
    window.fetch = async () => new Response(body, {status});
    const card = {pixels: new Uint8Array(4096), width: 64, height: 64};
    heard.push(await ask("https://service.example", card, 5000));
  }
  window.fetch = former;
  return heard;
}"""
READING = '{"readings": [{"digits": %s, "confidence": %s}]}'


def test_what_is_no_reading_of_the_service_is_no_answer(stage):
    page = stage.fresh("v1").open()
    good = READING % ('"042"', "0.99")
    bad = [(500, good), (200, "{}"), (200, "[]"), (200, " " * 70_000 + good)]
    contents = (("42", "0.9"), ('["4"]', "0.9"), ('"4"', '"0.9"'), ('"4"', "[0.9]"), ('"4"', "true"),
                ('"4x"', "0.9"), ('"4"', "1.1"), ('"' + "4" * 65 + '"', "0.9"))  # fmt: skip
    bad += [(200, READING % content) for content in contents]
    assert page.run(ASK, [(200, good), *bad]) == [{"digits": "042", "confidence": 0.99}, *[None] * len(bad)]
    for wrong in ("50", True, [50], 0):
        budget = {"model_bytes": 1_000_000, "reading_ms": wrong, "storage_bytes": 1_000_000}
        stage.app.site.publish("v2", settings={"budget": budget})
        assert page.look() == "malformed", wrong
    for width in (280, 320):
        page.do(lambda tab, width: tab.set_viewport_size({"width": width, "height": 640}), width)
        assert page.run("() => document.documentElement.scrollWidth") <= width
    page.run("() => { document.getElementById('digits').textContent = '4'.repeat(200); }")
    assert page.run("() => document.documentElement.scrollWidth") <= 320


def test_whoever_works_with_the_keyboard_keeps_the_place(stage):
    page = stage.fresh("v1").open()
    page.draw([[(0.2, 0.2), (0.2, 0.8)], [(0.5, 0.2), (0.5, 0.8)]])

    def after(start, keys="Enter"):
        page.do(lambda tab: tab.focus(start))
        page.do(lambda tab: tab.keyboard.press(keys))
        page.do(lambda tab: tab.wait_for_selector("#result[aria-busy=false]", timeout=PATIENCE))
        waits(page, "#update:enabled")
        page.do(lambda tab: tab.wait_for_timeout(100))
        return page.run("() => document.activeElement.id || document.activeElement.tagName")

    assert after("#read") == "read"
    assert after("#update") == "update"
    page.run(UNSURE)
    assert after("#typed") == "reading"
    assert after("#clear") == "pad"
