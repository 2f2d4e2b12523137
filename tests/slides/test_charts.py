"""Every chart is drawn from the records; one whose record has changed stops the build with a sentence."""

import json
import shutil

import matplotlib.pyplot as plt
import pytest

from fsdl_course.notebooks.record_lookup import QuoteError, Records
from fsdl_course.slides import charts, charts_form, charts_models
from fsdl_course.slides.deck import DeckError
from fsdl_deploy.paths import ROOT


@pytest.mark.parametrize("name", charts.CHARTS)
def test_a_chart_is_drawn(name):
    svg = charts.draw(name, ROOT)
    assert svg.startswith("<svg") and len(svg) > 2000
    assert "<dc:date>" not in svg  # the same record gives the same bytes


def test_a_chart_shows_what_the_record_has(tmp_path):
    (tmp_path / "models").mkdir()
    record = json.loads((ROOT / "models" / "ladder.json").read_text(encoding="utf-8"))
    before = charts.draw("ladder", ROOT)
    record["rungs"][0]["per_second"] *= 2
    (tmp_path / "models" / "ladder.json").write_text(json.dumps(record), encoding="utf-8")
    assert charts.draw("ladder", tmp_path) != before == charts.draw("ladder", ROOT)


def test_a_changed_record_stops_the_build(tmp_path):
    with pytest.raises(DeckError, match="no chart 'ladders'"):
        charts.draw("ladders", ROOT)
    with pytest.raises(DeckError, match=r"the chart ladder lacks .*no record ladder.json"):
        charts.draw("ladder", tmp_path)
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "ladder.json").write_text('{"steps": []}', encoding="utf-8")
    with pytest.raises(DeckError, match=r"the chart ladder lacks .*'rungs'"):
        charts.draw("ladder", tmp_path)
    shutil.rmtree(tmp_path / "models")


def test_more_bars_than_a_slide_has_room_for_are_refused():
    with pytest.raises(QuoteError, match="13 bars have no room"):
        charts_form.bars(13 * ["a runtime"], 13 * [1.0], "kB", "{:.0f}")


def test_each_runtime_of_the_edge_has_one_bar(tmp_path):
    rows = [{"precision": "float32", "size": 9000}, {"precision": "int8", "size": 4000}, {"precision": "x"}]
    (tmp_path / "models").mkdir()
    record = {"date": "2026-11-30", "one_runtime": {"rows": rows}, "no_size": {"rows": rows[2:]}}
    (tmp_path / "models" / "edge.json").write_text(json.dumps(record), encoding="utf-8")
    figure = charts_models.targets(Records(tmp_path / "models"))
    (axes,) = figure.axes
    assert [label.get_text() for label in axes.get_yticklabels()] == ["one runtime, int8"]
    assert [bar.get_width() for bar in axes.patches] == [4.0]
    plt.close(figure)
