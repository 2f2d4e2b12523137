"""The prototype: a page where anybody writes a number, or uploads a card, and sees what the model says.

Lecture, section 1: a basic UI behind a URL, made in less than a day, that collects feedback from
other folks. The page takes any Reader, so it cannot tell whether the model sits in this process or
behind a URL. Knows nothing about models. ``fsdl-deploy prototype`` opens it.
"""

import argparse
import html
import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

import PIL.Image

from fsdl_deploy.picture import MAX_BYTES, Image, PictureError, decode
from fsdl_deploy.prototype.feedback import FOLDER, save_feedback
from fsdl_deploy.prototype.sketch import card_from_sketch
from fsdl_deploy.reading import Reader, Reading
from fsdl_deploy.remote import RemoteError
from fsdl_deploy.running.ports import free_port

CANVAS = (500, 200)  # pixels of the sketchpad, width and height
PEN = 5  # pixels of radius: a pen that looks on this canvas as a real one does on a card

STYLE = """
footer {display: none !important}
#answer {min-height: 214px; padding: 16px 20px; border: 1px solid var(--border-color-primary)}
.digits {display: flex; flex-wrap: wrap; gap: 6px; margin-bottom: 16px}
.digit {text-align: center; font: 600 42px/1 ui-monospace, Consolas, monospace; min-width: 34px}
#answer meter {display: block; width: 100%; height: 10px; margin-top: 8px}
.digit small {display: block; font: 400 12px/1.6 system-ui, sans-serif; opacity: .75}
.facts {margin-top: 14px; font-size: 13px; opacity: .75}
.note {font-size: 17px; line-height: 1.5}
.gallery-item, .gallery-item span, .gallery-item .container {
  width: 132px !important; max-width: none !important; height: 44px}
.gallery-item img {width: 100%; height: 100%; object-fit: contain !important}
#thanks {min-height: 24px}
"""

# Gradio's sketchpad waits for a click on its pen before it draws, after each clearing again.
PEN_IN_HAND = """() => {setInterval(() => {
  const tools = [...document.querySelectorAll("#sketch button.quite-round")];
  if (tools.length && !tools.some(tool => tool.classList.contains("highlight"))) tools[0].click();
}, 200)}"""


class Desk:
    """What the page does with a picture and with feedback; every failure becomes a sentence.

    The first two answer with HTML and with what feedback would be about: (picture, reading) or None.
    """

    def __init__(self, reader: Reader, feedback: Path):
        self.reader, self.feedback = reader, feedback

    def show_sketch(self, sketch: dict | None):
        return self._show(card_from_sketch, sketch)

    def show_upload(self, path: str | None):
        return self._show(_uploaded, path)

    def read_api(self, picture: str | None) -> dict:
        """Read one picture of a meter card."""
        try:
            reading, milliseconds = self._read(_uploaded(picture))
        except (PictureError, RemoteError) as error:
            raise _gradio().Error(_sentence(error), print_exception=False) from None
        return asdict(reading) | {"milliseconds": milliseconds}

    def wrong(self, last: tuple[Image, Reading] | None, says: str) -> tuple[str, str]:
        """Keep the last picture with the user's words; (what to tell the user, the emptied field)."""
        if last is None:
            return "Read a picture first, then tell us what is wrong with the answer.", says
        save_feedback(self.feedback, *last, says)
        return "Thank you: the picture and your words are kept for the next model.", ""

    def _show(self, picture_of: Callable, value) -> tuple[str, tuple[Image, Reading] | None]:
        try:
            image = picture_of(value)
            reading, milliseconds = self._read(image)
        except PictureError as error:
            return note(_sentence(error)), None
        except RemoteError as error:
            return note(f"The model service does not answer. Try again in a moment. ({error})"), None
        return answer(reading, milliseconds), (image, reading)

    def _read(self, image: Image) -> tuple[Reading, float]:
        start = time.perf_counter()
        reading = self.reader.read([image])[0]
        return reading, 1000 * (time.perf_counter() - start)


def answer(reading: Reading, milliseconds: float) -> str:
    """The reading as HTML: large digits with a bar each, then overall confidence, version and latency."""
    if not reading.digits:
        return note("No digits found on this picture.")
    digits = "".join(
        f'<div class="digit">{html.escape(digit)}{_bar(confidence)}<small>{confidence:.0%}</small></div>'
        for digit, confidence in zip(reading.digits, reading.digit_confidence, strict=True)
    )
    words = ((0.9, "sure"), (0.6, "not quite sure"), (0, "guessing"))
    sure = next(word for limit, word in words if reading.confidence >= limit)
    return (
        f'<div class="digits" role="status" aria-label="{html.escape(reading.digits)}">{digits}</div>'
        f"The whole reading: <b>{reading.confidence:.1%}</b>, {sure}"
        f"{_bar(reading.confidence)}"
        f'<div class="facts">model {html.escape(reading.model_version)} · read in {milliseconds:.1f} ms</div>'
    )


def note(sentence: str) -> str:
    """One sentence for the user, where the reading would stand."""
    return f'<div class="note" role="status">{html.escape(sentence)}</div>'


def build(reader: Reader, examples: Sequence[Image] | None = None, feedback: Path | str = FOLDER):
    """The page over ``reader``, as ``gradio.Blocks`` that is not yet launched.

    ``examples``: pictures for the example row; without it, four typical cards. ``feedback``: the
    folder for pictures that users call wrong. The API endpoint ``/read`` takes one picture file and
    answers ``{"digits", "confidence", "digit_confidence", "model_version", "milliseconds"}``.
    """
    gr = _gradio()
    if examples is None:
        from fsdl_deploy.cards import cards

        examples = [card.image for card in cards(4, level="typical", split="test", seed=7)]

    desk = Desk(reader, Path(feedback))
    with gr.Blocks(title="Meter reader", analytics_enabled=False, delete_cache=(3600, 86400)) as page:
        last = gr.State(None)
        output = gr.HTML(note("The reading appears here."), elem_id="answer", render=False)
        gr.Markdown("# Meter reader\nWrite the number on your meter, or upload a picture of a card.")
        with gr.Row():
            with gr.Column(scale=3, min_width=340):
                with gr.Tab("Write"):
                    sketch = gr.Sketchpad(
                        canvas_size=CANVAS, fixed_canvas=True, height=280, layers=False, transforms=(),
                        brush=gr.Brush(PEN, ["#111111"], "#111111", "fixed"), eraser=gr.Eraser(4 * PEN),
                        show_label=False, buttons=[], elem_id="sketch",
                    )  # fmt: skip
                    read_sketch = gr.Button("Read what I wrote", variant="primary")
                with gr.Tab("Upload"):
                    upload = gr.Image(
                        type="filepath", sources=["upload", "webcam", "clipboard"],
                        height=220, show_label=False, buttons=[], elem_id="upload",
                    )  # fmt: skip
                    # Hand on the file as it came: the course's one decoder judges it, with its own
                    # sentences. (A subclass would make Gradio write a stub file beside this one.)
                    upload.preprocess = lambda payload: payload.path if payload else None
                    read_upload = gr.Button("Read this picture", variant="primary")
                    gr.Examples(
                        [[PIL.Image.fromarray(image)] for image in examples], upload, [output, last],
                        desk.show_upload, run_on_click=True, cache_examples=False, label="Or try a card",
                    )  # fmt: skip
            with gr.Column(scale=2, min_width=300):
                output.render()
                says = gr.Textbox(label="What does it really say?", max_length=200, elem_id="says")
                wrong_button = gr.Button("This is wrong", size="sm")
                thanks = gr.Markdown(elem_id="thanks")
        # The API's own components: a file as it came, so that the course's one decoder judges it.
        api_input, api_output = gr.File(visible=False), gr.JSON(visible=False)
        page_only = {"api_visibility": "private", "show_progress": "hidden"}
        read_sketch.click(desk.show_sketch, sketch, [output, last], **page_only)
        read_upload.click(desk.show_upload, upload, [output, last], **page_only)
        wrong_button.click(desk.wrong, [last, says], [thanks, says], **page_only)
        page.load(js=PEN_IN_HAND)
        gr.on([], desk.read_api, api_input, api_output, api_name="read")
    return page


def launch(page, port: int | None = None, host: str = "127.0.0.1", **options) -> str:
    """Start ``page`` in the background and return its URL; ``page.close()`` stops it and frees the port.

    ``port``: None takes the first free one. Other options are those of ``gradio.Blocks.launch``,
    for example ``inline=True`` to show the page in a notebook.
    """
    gr = _gradio()
    # System fonts: the page asks nobody but its own server for anything.
    font = [gr.themes.Font(name) for name in ("system-ui", "sans-serif")]
    mono = [gr.themes.Font(name) for name in ("ui-monospace", "monospace")]
    theme = gr.themes.Default(primary_hue="teal", secondary_hue="teal", font=font, font_mono=mono)
    settings = {"inline": False, "quiet": True, "share": False, "max_file_size": MAX_BYTES} | options
    _, url, shared = page.launch(
        prevent_thread_lock=True, server_name=host, server_port=port or free_port(),
        theme=theme, css=STYLE, footer_links=[], ssr_mode=False, **settings,
    )  # fmt: skip
    return (shared or url).rstrip("/")


@contextmanager
def running(page, **options) -> Iterator[str]:
    """``with running(page) as url:`` the page answers inside the block, and nothing is left after it."""
    try:
        yield launch(page, **options)
    finally:
        page.close(verbose=False)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of ``fsdl-deploy prototype``."""
    parser.add_argument("--version", default="v2", help="the model inside the page's own process")
    parser.add_argument("--url", help="ask this model service instead of loading a model")
    parser.add_argument("--port", type=int, default=7860, help="port to listen on; 0: any free one")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
    parser.add_argument("--share", action="store_true", help="also a public link, by the vendor's tunnel")
    parser.add_argument(
        "--feedback", type=Path, default=FOLDER, metavar="FOLDER", help="for pictures called wrong"
    )


def main(args: argparse.Namespace) -> int:
    """Serve the page until interrupted."""
    from fsdl_deploy.reader import open_reader

    page = build(open_reader(version=args.version, url=args.url), feedback=args.feedback)
    with running(page, port=args.port, host=args.host, share=args.share) as url:
        print(f"The meter reader is at {url}  (Ctrl-C stops it)", flush=True)
        page.block_thread()
    return 0


def _bar(confidence: float) -> str:
    return f'<meter min="0" max="1" low=".6" high=".9" optimum="1" value="{confidence:.4f}"></meter>'


def _uploaded(path: str | None) -> Image:
    if path is None:
        raise PictureError("there is no picture yet: upload one first")
    return decode(Path(path).read_bytes())


def _sentence(error: Exception) -> str:
    text = str(error) or type(error).__name__
    return text[0].upper() + text[1:] + ("" if text.endswith((".", "!", "?")) else ".")


def _gradio():
    """Gradio without its calls to the outside; it reads these settings when it is first imported."""
    os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    import gradio

    return gradio
