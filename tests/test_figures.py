"""Figures are shown with alternative text and labelled axes, or refused with a sentence."""

import base64
import re

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
import pytest

from fsdl_course.notebooks.rules_code import img_without_alt
from fsdl_deploy import figures, picture
from fsdl_deploy.figures import FigureError

CARD = np.full((40, 120), 255, np.uint8)
CARD[10:30, 20:30] = 0


@pytest.fixture(autouse=True)
def pages(monkeypatch):
    displayed = []
    monkeypatch.setattr(figures, "_display", displayed.append)
    with matplotlib.rc_context():
        figures.use()
        yield displayed


def plot(**labels):
    figure, axes = plt.subplots()
    axes.plot([1, 2], [3, 4])
    axes.set(**labels)
    return figure


def test_a_caption_of_two_lines_is_one_line_of_alternative_text(pages):
    figures.cards([np.full((20, 40), 200, np.uint8)], ["written 12\nread 17"], alt="one card")
    assert 'alt="written 12 read 17"' in pages[0] and not img_without_alt(pages[0])


def test_show_makes_a_picture_with_alternative_text(pages):
    figures.show(plot(xlabel="users", ylabel="latency (ms)"), alt='4 users wait <twice> as "long"')
    (page,) = pages
    assert 'alt="4 users wait &lt;twice&gt; as &quot;long&quot;"' in page
    png = base64.b64decode(re.search(r'src="data:image/png;base64,([^"]+)"', page)[1])
    height, width = picture.decode(png).shape
    assert width == 880 and height == 440


@pytest.mark.parametrize("alt", ["", "  ", None])
def test_show_refuses_a_figure_without_alternative_text(pages, alt):
    with pytest.raises(FigureError, match="say what the figure shows"):
        figures.show(plot(xlabel="users", ylabel="latency (ms)"), alt=alt)
    assert pages == []


@pytest.mark.parametrize(("labels", "axis"), [({"xlabel": "users"}, "y"), ({"ylabel": "ms"}, "x"), ({}, "x")])
def test_show_refuses_an_axis_without_label(pages, labels, axis):
    with pytest.raises(FigureError, match=f"axes 1 of the figure have no {axis} label"):
        figures.show(plot(**labels), alt="a line")
    assert pages == []


def test_show_refuses_an_empty_figure_and_a_colour_bar_without_label():
    with pytest.raises(FigureError, match="empty"):
        figures.show(plt.figure(), alt="nothing")
    figure, axes = plt.subplots()
    figure.colorbar(axes.imshow(CARD))
    axes.set(xlabel="x (pixels)", ylabel="y (pixels)")
    with pytest.raises(FigureError, match="axes 2"):
        figures.show(figure, alt="a card")


def test_show_asks_no_label_where_no_numbers_are(pages):
    figure, grid = plt.subplots(2, 2, sharex=True, sharey=True)
    for axes in grid[-1]:
        axes.set_xlabel("users")
    for axes in grid[:, 0]:
        axes.set_ylabel("latency (ms)")
    figures.show(figure, alt="four panels share their axes")

    figure, axes = plt.subplots()
    axes.imshow(CARD)
    axes.axis("off")
    figures.show(figure, alt="a card")

    figure, axes = plt.subplots(1, 2)
    figure.supxlabel("users")
    figure.supylabel("latency (ms)")
    figures.show(figure, alt="two panels under one label")

    figure = plot(xlabel="users", ylabel="latency (ms)")
    figure.axes[0].twinx().set_ylabel("errors (%)")
    figures.show(figure, alt="two scales")
    assert len(pages) == 4


def test_waits_draws_each_request_where_it_was_sent(monkeypatch):
    drawn = []
    monkeypatch.setattr(figures, "show", lambda figure, alt: drawn.append((figure, alt)))
    figures.waits([(3.0, 3.5, False), (1.0, 1.25, True)], {"killed": 2.0, "there": 4.0}, alt="two requests")
    ((figure, alt),) = drawn
    (axes,) = figure.axes
    dots = {line.get_label(): [list(line.get_xdata()), list(line.get_ydata())] for line in axes.lines}
    plt.close(figure)
    assert alt == "two requests"
    assert dots["answered"] == [[1.0], [250.0]] and dots["no answer"] == [[3.0], [500.0]]
    assert dots["killed"][0] == [2.0, 2.0] and dots["there"][0] == [4.0, 4.0]


def test_waits_takes_requests_that_all_went_well(pages):
    figures.waits([(0.0, 0.1, np.True_)], {}, alt="one request", names=("read", "refused"))
    assert len(pages) == 1


def test_cards_shows_each_picture_unchanged_above_its_caption(pages):
    figures.cards([CARD, 255 - CARD], ["truth 04213", "read <0>"], alt="two cards")
    (page,) = pages
    pictures = [picture.decode(base64.b64decode(png)) for png in re.findall(r"base64,([^\"]+)", page)]
    np.testing.assert_array_equal(pictures[0], CARD)
    np.testing.assert_array_equal(pictures[1], 255 - CARD)
    assert 'aria-label="two cards"' in page
    assert page.index("truth 04213") < page.index("read &lt;0&gt;") and "<0>" not in page


def test_cards_refuses_what_it_cannot_show():
    with pytest.raises(FigureError, match="2 pictures need as many captions, not 1"):
        figures.cards([CARD, CARD], ["one"], alt="cards")
    with pytest.raises(FigureError, match="say what"):
        figures.cards([CARD], ["one"], alt="")
    with pytest.raises(FigureError, match="no picture"):
        figures.cards([], [], alt="cards")
    with pytest.raises(picture.PictureError):
        figures.cards([CARD / 255], ["one"], alt="cards")


def test_palette_is_what_lines_get_and_its_colours_stay_apart_for_every_kind_of_eye():
    cycle = [entry["color"] for entry in plt.rcParams["axes.prop_cycle"]]
    assert tuple(cycle) == figures.PALETTE
    colours = np.array([matplotlib.colors.to_rgb(colour) for colour in figures.PALETTE])
    linear = np.where(colours <= 0.04045, colours / 12.92, ((colours + 0.055) / 1.055) ** 2.4)
    # Viénot, Brettel and Mollon (1999), Digital video colourmaps for checking the legibility of displays:
    # linear RGB as people without red or without green cones see it.
    protan = np.array([[0.11238, 0.88762, 0], [0.11238, 0.88762, 0], [0.00401, -0.00401, 1]])
    deutan = np.array([[0.29275, 0.70725, 0], [0.29275, 0.70725, 0], [-0.02234, 0.02234, 1]])
    for eye in (np.eye(3), protan, deutan):
        seen = np.clip(linear @ eye.T, 0, 1) ** (1 / 2.2)
        distances = np.linalg.norm(seen[:, None] - seen[None], axis=-1) + 9 * np.eye(len(seen))
        assert distances.min() > 0.1


def test_files_stand_side_by_side(tmp_path, monkeypatch):
    displayed = []
    monkeypatch.setattr(figures, "_display", displayed.append)
    for name, text in (("a.py", "x = 1 < 2"), ("b.yaml", "key: value")):
        (tmp_path / name).write_text(text)
    figures.files(tmp_path / "a.py", tmp_path / "b.yaml")
    (page,) = displayed
    assert page.index("&lt;") < page.index("value") and page.count("<div>") >= 2
