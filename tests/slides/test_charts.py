"""Every chart is drawn from the records; one whose record has changed stops the build with a sentence."""

import json
import shutil

import pytest

from fsdl_course.slides import charts
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
