"""Figures of the lessons: one palette, labelled axes, alternative text for those who cannot see them.

Every figure of the course goes through here, so that all of them look alike, can be told apart by
colour-blind readers, and say in words what they show. Knows nothing of what is measured.
"""

import base64
import html
import io
import itertools
from collections.abc import Mapping, Sequence
from pathlib import Path

from fsdl_deploy.picture import Image, encode

PALETTE = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#4d4d4d")
"""Blue, vermilion, green, purple, orange, sky, grey: after Okabe and Ito, *Color Universal Design* (2008)."""


class FigureError(ValueError):
    """The figure is not fit to be shown; the message says what it lacks."""


def use() -> None:
    """Set matplotlib's defaults for a lesson: the palette, a readable size, a light grid."""
    import matplotlib.pyplot as plt
    from cycler import cycler

    plt.rcParams.update(
        {
            "axes.prop_cycle": cycler(color=PALETTE),
            "axes.grid": True,
            "axes.axisbelow": True,
            "axes.formatter.min_exponent": 4,  # 20 and 300 on a logarithmic scale, not 2 × 10¹ and 3 × 10²
            "axes.spines.top": False,
            "axes.spines.right": False,
            "axes.labelsize": 12,
            "axes.titlesize": 13,
            "figure.figsize": (8, 4),
            "figure.facecolor": "white",
            "figure.constrained_layout.use": True,
            "font.size": 11,
            "grid.color": "#dddddd",
            "image.cmap": "gray",
            "legend.frameon": False,
            "lines.linewidth": 2,
            "savefig.dpi": 110,
        }
    )


def show(figure, alt: str) -> None:
    """Display a matplotlib figure as a PNG whose alternative text is ``alt``, then close it.

    ``alt`` says in a sentence what the figure shows. Raises FigureError if it is empty, if nothing is
    drawn, or if an axis with numbers on it has no label; a label names its unit: "latency (ms)".
    """
    import matplotlib.pyplot as plt

    try:
        _check_alt(alt)
        _check_labels(figure)
        png = io.BytesIO()
        figure.savefig(png, format="png", metadata={"Software": None})
    finally:
        plt.close(figure)
    _display(_img(png.getvalue(), alt, "max-width: 100%"))


def waits(
    requests: Sequence[tuple[float, float, bool]],
    moments: Mapping[str, float],
    alt: str,
    names: tuple[str, str] = ("answered", "no answer"),
) -> None:
    """Display how long each request waited: a dot for each, at the moment when it was sent.

    ``requests``: (sent, ended, whether it went well), in seconds, in any order; at least one. ``moments``: by
    name, what happened meanwhile, as upright lines. ``names``: of requests that went well, and of the others.
    Raises FigureError for an empty ``alt``.
    """
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(7, 2.8))
    for kind, name, color in zip((True, False), names, PALETTE, strict=False):
        dots = [(sent, 1000 * (ended - sent)) for sent, ended, good in requests if bool(good) is kind]
        axes.plot(*(zip(*dots, strict=True) if dots else ([], [])), ".", color=color, label=name)
    for (name, moment), style in zip(moments.items(), itertools.cycle(("--", ":"))):
        axes.axvline(moment, color=PALETTE[6], linestyle=style, label=name)
    axes.set(xlabel="sent after (s)", ylabel="waited (ms)")
    figure.legend(loc="outside upper center", ncols=4, handlelength=1.2, columnspacing=1.2)  # over no dot
    show(figure, alt=alt)


def cards(images: Sequence[Image], captions: Sequence[str], alt: str, height: int = 56) -> None:
    """Display pictures uint8 ``[H, W]`` side by side, each above its caption and ``height`` pixels high.

    ``alt`` says in a sentence what the gallery shows. Raises FigureError if it is empty or if there is
    not one caption for each picture, PictureError for an array that is no picture.
    """
    _check_alt(alt)
    if not len(images):
        raise FigureError("there is no picture to show")
    if len(images) != len(captions):
        raise FigureError(f"{len(images)} pictures need as many captions, not {len(captions)}")
    cells = [
        '<div style="margin: 0; text-align: center">'
        + _img(
            encode(image),
            " ".join(caption.split()),
            f"height: {height}px; max-width: 100%; border: 1px solid #999999",
        )
        + f'<div style="font-size: 90%; white-space: pre-line">{html.escape(caption)}</div></div>'
        for image, caption in zip(images, map(str, captions), strict=True)
    ]
    _display(
        f'<div role="group" aria-label="{html.escape(alt)}" '
        f'style="display: flex; flex-wrap: wrap; gap: 12px 18px">{"".join(cells)}</div>'
    )


def files(*paths: Path) -> None:
    """Display text files side by side, coloured by what their names say they are."""
    from IPython.display import Code

    columns = "".join(f"<div>{Code(filename=path)._repr_html_()}</div>" for path in paths)
    _display(f'<div style="display: flex; gap: 2em; font-family: monospace; font-size: 80%">{columns}</div>')


def _img(png: bytes, alt: str, style: str) -> str:
    # An <img> of our own: JupyterLab's image renderer drops the alternative text of an image/png output.
    source = base64.b64encode(png).decode("ascii")
    return f'<img src="data:image/png;base64,{source}" alt="{html.escape(alt)}" style="{style}">'


def _display(page: str) -> None:
    from IPython.display import HTML, display

    display(HTML(page))


def _check_alt(alt: str) -> None:
    if not isinstance(alt, str) or not alt.strip():
        raise FigureError('say what the figure shows: alt="latency grows with the number of users"')


def _check_labels(figure) -> None:
    if not figure.axes:
        raise FigureError("the figure is empty: nothing is drawn on it")
    for place, axes in enumerate(figure.axes, start=1):
        if not (axes.get_visible() and axes.axison):
            continue
        shared = {"x": figure.get_supxlabel(), "y": figure.get_supylabel()}
        sides = {"x": ("labelbottom", "labeltop"), "y": ("labelleft", "labelright")}
        for name, axis in (("x", axes.xaxis), ("y", axes.yaxis)):
            ticks = axis.get_tick_params()
            # An axis without numbers needs no label: the inner ones of shared axes, a short colour bar side.
            has_numbers = axis.get_visible() and len(axis.get_ticklocs()) and any(map(ticks.get, sides[name]))
            if has_numbers and not (axis.get_label_text().strip() or shared[name].strip()):
                raise FigureError(
                    f"axes {place} of the figure have no {name} label: axes.set_{name}label('what (unit)')"
                )
