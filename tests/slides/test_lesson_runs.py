"""What executed lessons show is written down as it stands there, without what belongs to the machine."""

import nbformat
import pytest

from fsdl_course.slides import lesson_runs
from fsdl_course.slides.deck import DeckError
from fsdl_deploy.measuring import records
from fsdl_deploy.measuring.table import Table

TABLE = Table(["way", "p50 (ms)"], ["a < b", 1.5], ["home", 1200.0], formats=["", ",.1f"], caption="no row")


def executed(folder, *outputs):
    cells = [nbformat.v4.new_markdown_cell("# A lesson\n\n## Two ways\n\nWords.")]
    for output in outputs:
        cells.append(nbformat.v4.new_code_cell("1", outputs=[output]))
    copy = folder / "build" / "course" / "01_lesson.ipynb"
    copy.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(nbformat.v4.new_notebook(cells=cells), copy)
    return copy


def table(words=TABLE):
    return nbformat.v4.new_output("display_data", data={"text/html": words._repr_html_()})


def lines(text, name="stdout"):
    return nbformat.v4.new_output("stream", name=name, text=text)


def test_tables_and_lines_are_kept_word_for_word(tmp_path):
    seen = lesson_runs.outputs_of(
        executed(tmp_path, table(), table(), lines("12 cards\nno number\n12 cards\n"))
    )
    assert [entry["section"] for entry in seen["tables"]] == ["Two ways", "Two ways 2"]
    assert seen["tables"][0]["header"] == ["way", "p50 (ms)"]
    assert seen["tables"][0]["rows"] == [["a < b", "1.5"], ["home", "1,200.0"]]
    assert seen["printed"] == ["12 cards"]


def test_the_machine_is_left_out(tmp_path):
    private = (
        "read 3 of /home/me/cards\nhttp://127.0.0.1:4711 is up\n<object at 0x7f00aa>\n"
        + "9" * 500
        + "\n5 left\n"
    )
    seen = lesson_runs.outputs_of(executed(tmp_path, lines(private), lines("7 warnings\n", "stderr")))
    assert seen["printed"] == ["5 left"]


def test_a_record_keeps_other_lessons(tmp_path):
    path = tmp_path / "slides" / "lessons.json"
    path.parent.mkdir()
    records.write(path, lessons={"00_tour": {"tables": [], "printed": ["1"]}})
    executed(tmp_path, lines("2 cards\n"))
    assert lesson_runs.lessons(tmp_path) == ["01_lesson"]
    lesson_runs.record(tmp_path, ["01_lesson"])
    assert [*records.read(path)["lessons"]] == ["00_tour", "01_lesson"]


def test_of_a_tool_only_what_it_says_of_the_lecture_is_kept(tmp_path):
    of_the_lecture = Table(["the lecture", "measured here", "verdict"], ["“Scale”", "3 × one", "holds"])
    executed(tmp_path, table(), table(of_the_lecture), lines("12 cards\n"))
    (tmp_path / "build/course/tools").mkdir()
    (tmp_path / "build/course/01_lesson.ipynb").rename(tmp_path / "build/course/tools/nginx.ipynb")
    claims = tmp_path / "notebooks" / "claims.toml"
    claims.parent.mkdir()
    claims.write_text(
        '[[claim]]\nnumber = 1\nquote = "Scale"\nsource = "notes"\nlesson = "07"\n'
        'notebook = "tools/nginx"\nsection = "Two ways"\nholds = "rate > 1"\n'
    )
    assert lesson_runs.lessons(tmp_path) == ["tools/nginx"]
    (tmp_path / "slides").mkdir()
    kept = records.read(lesson_runs.record(tmp_path, ["tools/nginx"]))["lessons"]["tools/nginx"]
    assert [each["rows"] for each in kept["tables"]] == [[["“Scale”", "3 × one", "holds"]]]
    assert {"date", "machine"} <= kept.keys() and "printed" not in kept


def test_a_lesson_that_did_not_run_is_refused(tmp_path):
    with pytest.raises(DeckError, match="fsdl-course notebooks course 01_lesson"):
        lesson_runs.record(tmp_path, ["01_lesson"])
    failed = nbformat.v4.new_output("error", ename="ValueError", evalue="no cards", traceback=[])
    executed(tmp_path, failed)
    with pytest.raises(DeckError, match="ValueError: no cards"):
        lesson_runs.record(tmp_path, ["01_lesson"])
