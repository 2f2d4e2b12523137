"""Scenes of an app's life, each played in a real browser: first visit, no link, updates good and bad, doubt

Each is a function of a ``AppStage`` that raises SceneFailed with a sentence about what went wrong. ``rounds``
plays all.
"""

from collections.abc import Callable

from fsdl_deploy.browser.app_page import AppPage
from fsdl_deploy.browser.attacks import attack_app
from fsdl_deploy.browser.link import Fault
from fsdl_deploy.browser.stage import AppStage, read_alike, some_cards
from fsdl_deploy.picture import encode
from fsdl_deploy.reader import OnnxReader

MOST_BYTES = 5_000_000  # of a first visit, over the wire
RUNTIME = "ort/ort-wasm-simd-threaded.wasm"


class SceneFailed(RuntimeError):
    """The app did not do what it should; the message says what it did."""


def expect(condition: object, sentence: str) -> None:
    """Raise SceneFailed with this sentence unless the condition is true."""
    if not condition:
        raise SceneFailed(sentence)


def reads(page: AppPage, model: str, number: int = 20) -> None:
    """Raise SceneFailed unless the page reads as ``model`` does in Python."""
    alike = read_alike(page, model, some_cards(number))
    expect(alike == number, f"{alike} of {number} cards are read as by {model} in Python")


def same_readings(stage: AppStage) -> None:
    """200 cards of 200 are read as by ONNX Runtime in Python."""
    reads(stage.fresh("v2").open(), "v2", 200)


def first_visit(stage: AppStage) -> None:
    """A first visit costs at most 5 MB, nobody else is asked, and nothing is blocked or breaks."""
    page = stage.fresh("v2").open()
    expect(stage.app.sent <= MOST_BYTES, f"the first visit took {stage.app.sent:,} bytes")
    reads(page, "v2")
    outside = [url for url in page.asked if not url.startswith(stage.app.url)]
    expect(page.asked and not outside, f"the page asked {outside}")
    expect(not page.complaints, f"the browser complains: {page.complaints}")


def offline(stage: AppStage) -> None:
    """After the first visit the server may be gone: the app opens and reads."""
    page = stage.fresh("v2").open()
    stage.app.stop()
    page.reload()
    reads(page, "v2")
    (card,) = some_cards(1, "clean")
    page_text = page.upload({"name": "card.png", "mimeType": "image/png", "buffer": encode(card.image)})
    expect(
        page_text["digits"] == card.truth, f"offline a card of {card.truth} is read as {page_text['digits']}"
    )


def update(stage: AppStage) -> None:
    """A newer model is taken over, and stays; a second look finds nothing new."""
    page = stage.fresh("v1").open()
    stage.publish("v2")
    answers = [page.look(), page.look()]
    expect(answers == ["updated", "newest"], f"two looks gave {answers}")
    reads(page, "v2")
    stage.app.stop()
    page.reload()
    reads(page, "v2")


def roll_back(stage: AppStage) -> None:
    """The publisher takes a model back by publishing the one before it as a newer release."""
    page = stage.fresh("v1").open()
    for model in ("v2", "v1"):
        stage.publish(model)
        answer = page.look()
        expect(answer == "updated", f"the look for {model} gave {answer}")
        reads(page, model)


def attacks(stage: AppStage) -> None:
    """Every attack on an update is refused by its own word, and the honest release is taken after it."""
    page = stage.fresh("v1").open()
    stage.publish("v2")
    page.look()
    for outcome in attack_app(stage.app, page):
        expect(outcome.refused, f"{outcome.attack.name}: {outcome.answer}, {outcome.message}")


def bad_models(stage: AppStage) -> None:
    """Rightly signed models that do not load, or cannot read, are taken back; a good one is taken then."""
    page = stage.fresh("v1").open()
    for model, name in ((b"no model at all" * 1000, "garbage"), (blind_model(), "blind")):
        stage.publish(model, name)
        answers = [page.look(), page.look()]
        expect(answers == ["bad model"] * 2, f"{name}: two looks gave {answers}")
        reads(page, "v1")
    page.reload()
    reads(page, "v1")
    stage.publish("v2")
    answer = page.look()
    expect(answer == "updated", f"after bad models the look for a good one gave {answer}")
    reads(page, "v2")


def cut_first_visit(stage: AppStage) -> None:
    """The link breaks in the middle of the first visit, at several moments; tried again, all is there."""
    page = stage.fresh("v2")
    model = f"releases/{stage.app.site.current().files['model']['path']}"
    cuts = ("reader.js", 100), (RUNTIME, 1_000_000), ("config.json", 10), (model, 100_000)
    for number, (path, count) in enumerate(cuts):
        stage.app.link.faults = {path: Fault(cut=count)}
        page.reload(wait=False) if number else page.open(wait=False)
        page.do(lambda tab: tab.wait_for_selector("#again:visible", timeout=60_000))
        how = page.shows()["how"]
        expect("could not be loaded" in how, f"with {path} cut the page says {how!r}")
    stage.app.link.faults.clear()
    page.press("again")
    page.do(lambda tab: tab.wait_for_selector("#read:enabled", timeout=60_000))
    stage.app.stop()
    page.reload()
    reads(page, "v2")


def cut_update(stage: AppStage) -> None:
    """The link breaks in an update, at several moments: the old model reads on, and then the new one."""
    page = stage.fresh("v1").open()
    model = f"releases/{stage.publish('v2').files['model']['path']}"
    for path, count in (("releases/current.json", 50), (model, 1), (model, 300_000)):
        stage.app.link.faults = {path: Fault(cut=count)}
        answer = page.look()
        expect(answer == "no link", f"with {path} cut after {count} bytes the look gave {answer}")
        page.reload()
        reads(page, "v1")
    stage.app.link.faults.clear()
    page.reload()  # which looks by itself
    page.do(lambda tab: tab.wait_for_selector("#release:has-text('Release 2')", timeout=60_000))
    reads(page, "v2")


def fallback(stage: AppStage) -> None:
    """What the device is unsure of is read by the service, while it answers; else a person is asked."""
    page = stage.fresh("v1", stage.service.url).open()
    card = unsure_card()
    file = {"name": "card.png", "mimeType": "image/png", "buffer": encode(card.image)}
    page_text = page.upload(file)
    right = (
        page_text["digits"] == card.truth and not page_text["asks"] and "by the service" in page_text["how"]
    )
    expect(right, f"with the service: {page_text}")
    page.do(lambda tab: tab.uncheck("#may-ask"))
    page_text = page.upload(file)
    expect(page_text["asks"] and "no service to ask" in page_text["how"], f"forbidden to ask: {page_text}")
    page.do(lambda tab: tab.check("#may-ask"))
    stage.service.stop()
    try:
        page_text = page.upload(file)
        expect(
            page_text["asks"] and "does not answer" in page_text["how"], f"without the service: {page_text}"
        )
    finally:
        stage.service.start()
    page.do(lambda tab: tab.fill("#typed", card.truth))
    page.do(lambda tab: tab.click("#check button"))
    page_text = page.shows()
    expect(page_text["digits"] == card.truth and not page_text["asks"], f"after typing: {page_text}")


def unsure_card():
    """A card that v1 is unsure of and that the teacher reads rightly, and surely."""
    hard = some_cards(60, "hard", seed=5)
    small, large = (OnnxReader(name).read([card.image for card in hard]) for name in ("v1", "teacher"))
    pairs = zip(hard, small, large, strict=True)
    return next(c for c, s, t in pairs if s.confidence < 0.8 and t.confidence > 0.95 and t.digits == c.truth)


def blind_model() -> bytes:
    """A model that loads and answers, and has lost its last layer's weights."""
    import numpy as np
    import onnx

    from fsdl_deploy import weights

    graph = onnx.load_from_string(weights.verified("v2.onnx"))
    for tensor in graph.graph.initializer:
        if list(tensor.dims) == [128, 11]:
            zeros = np.zeros(tuple(tensor.dims), np.float32)
            tensor.CopyFrom(onnx.numpy_helper.from_array(zeros, tensor.name))
    return graph.SerializeToString()


SCENES: tuple[Callable[[AppStage], None], ...] = (
    same_readings,
    first_visit,
    offline,
    update,
    roll_back,
    attacks,
    bad_models,
    cut_first_visit,
    cut_update,
    fallback,
)
