"""A class of thirty through a week: late ones, second hand-ins, overrides, exports; twice the same bytes."""

import csv
import io
import json
import re
import zipfile

import pytest
from course_results import LABS, NAMES, canvas_export, person_of, policy, put
from made_results import rows

from fsdl_course import cli
from fsdl_course.grading import by_hand, grade

FILES = ("totals.csv", "counted.csv", "canvas.csv", "moodle.csv", "feedback.zip", "filled-export.csv")


@pytest.fixture
def week(tmp_path):
    """Thirty students; 0 and 1 are late, 2 hands in twice, 3 nothing, 4 is excused, 5 has an extension."""
    out = tmp_path / "grades"
    for number in range(len(NAMES)):
        for lab in LABS:
            if number != 3:
                day = 12 + 7 * LABS.index(lab)
                put(out, number, lab, handed_in=f"2026-10-{day}T20:00:00+00:00")
    put(out, 0, "lab00", handed_in="2026-10-13T22:30:00+00:00")  # 24 h 31 min after: two days begun
    put(
        out, 0, "lab01", handed_in="2026-10-22T21:00:00+00:00"
    )  # 71 h 1 min: three days, none of them free now
    put(out, 1, "lab00", handed_in="2026-10-12T22:09:00+00:00")  # ten minutes: the grace
    put(out, 2, "lab00", points=0, again=" (2)", handed_in="2026-10-12T21:00:00+00:00")
    put(out, 99, "lab00", person="somebody else")
    (out / "roster.csv").write_text(canvas_export(), encoding="utf-8")
    (out / "policy.toml").write_text(policy(), encoding="utf-8")
    (out / "overrides.csv").write_text(
        "student;lab;points;excused;deadline;note;mine\n"
        "u0004;lab01;;yes;;ill;x\n5005;lab00;;;2026-10-20 12:00;trip;\n"
        f"{NAMES[6]};lab02;4,75;;;appeal;\n",
        encoding="utf-8-sig",
    )
    (tmp_path / "export.csv").write_text(canvas_export(";", bom=False), encoding="utf-8")
    return out


def totals(out, *options):
    export = out.parent / "export.csv"
    return cli.main(["totals", str(out), *(["--fill", str(export)] if export.exists() else []), *options])


def by_id(path):
    return {row.get("id", row.get("ID")): row for row in rows(path)}


def test_totals_are_right_to_the_cent(week, capsys):
    assert totals(week) == 1  # somebody else is on no list
    assert "somebody else (somebody else.ipynb) is not on the class list" in capsys.readouterr().err
    table = by_id(week / "totals.csv")
    assert len(table) == len(NAMES) + 1
    assert [table["5007"][lab] for lab in LABS] == ["3.00"] * 3 and table["5007"]["percent"] == "50.00"
    # Two free days for lab00; lab01 three days late: 30 % of 3 are gone. (1 * 3/6 + 2 * 2.1/6 + 3 * 3/6) / 6
    assert (table["5000"]["lab00"], table["5000"]["lab01"]) == ("3.00", "2.10")
    assert (table["5000"]["percent"], table["5000"]["late days used"]) == ("45.00", "2")
    assert (table["5001"]["lab00"], table["5001"]["late days used"]) == ("3.00", "0")
    assert table["5002"]["lab00"] == "2.00"  # the last of two
    assert (table["5003"]["percent"], table["5003"]["remark"]) == ("0.00", f"not handed in: {' '.join(LABS)}")
    assert (table["5004"]["lab01"], table["5004"]["percent"]) == ("excused", "50.00")
    # (0.5 + 2 * 0.5 + 3 * 4.75/6) / 6 = 0.64583…
    assert (table["5006"]["lab02"], table["5006"]["percent"]) == ("4.75", "64.58")
    assert table[""]["name"] == "somebody else" and table[""]["remark"].startswith("not on the class list")


def test_each_row_says_which_hand_in_counts_and_where_its_date_is_from(week):
    totals(week)
    counted = {(row["id"], row["lab"]): row for row in rows(week / "counted.csv")}
    second = counted["5002", "lab00"]
    assert (second["which counts"], second["hand-ins"]) == ("the last of 2", "2")
    assert second["handed in"] == "2026-10-12 23:00:00+02:00" and second["known from"] == "the zip's time"
    late = counted["5000", "lab01"]
    assert (late["late days"], late["of them free"], late["before the policy"]) == ("3", "0", "3.00")
    assert counted["5005", "lab00"]["which counts"].endswith("with a deadline of their own; trip")
    assert counted["5004", "lab01"]["which counts"] == "excused; ill"
    assert counted["5003", "lab02"]["which counts"] == "nothing handed in"


def test_a_second_run_writes_the_same_bytes_and_no_file_of_the_instructor(week):
    ours = ("roster.csv", "policy.toml", "overrides.csv")
    before = [(week / name).read_bytes() for name in ours]
    totals(week)
    first = {name: (week / name).read_bytes() for name in FILES}
    totals(week)
    assert {name: (week / name).read_bytes() for name in FILES} == first
    assert [(week / name).read_bytes() for name in ours] == before


@pytest.mark.parametrize(
    ("counts", "points", "why"),
    [
        ("last", "1.80", "the last of 3"),  # 2 points, 3 days late, two of them free
        ("best", "3.00", "the best of 3"),
        ("last before deadline", "2.00", "the last before the deadline, of 3"),
    ],
)
def test_which_of_several_hand_ins_counts(tmp_path, counts, points, why):
    put(tmp_path, 0, points=1, handed_in="2026-10-10T10:00:00")
    put(tmp_path, 0, points=0, again=" (2)", handed_in="2026-10-12T23:30:00")  # no zone: the course's
    put(tmp_path, 0, points=0, again=" (3)", handed_in="2026-10-15T12:00:00+02:00")
    put(tmp_path, 0, again=" (4)", handed_in="2026-10-15T13:00:00+02:00", problem="it is no notebook")
    (tmp_path / "roster.csv").write_text(canvas_export(), encoding="utf-8")
    (tmp_path / "policy.toml").write_text(policy(counts=f'"{counts}"'), encoding="utf-8")
    totals(tmp_path)
    (row,) = [row for row in rows(tmp_path / "counted.csv") if row["id"] == "5000"]
    assert (row["points"], row["which counts"]) == (points, why)
    assert row["hand-ins"] == "4"  # that one cannot be read is said, and it is never preferred


def test_canvas_takes_the_tables_back(week):
    """Read as Canvas's importer does: the columns on students, points possible, IDs, then assignments."""
    totals(week)
    for name in ("canvas.csv", "filled-export.csv"):
        header, *lines = csv.reader(io.StringIO((week / name).read_text(encoding="utf-8"), newline=""))
        assert header[:2] == ["Student", "ID"] and header[2:5] == ["SIS User ID", "SIS Login ID", "Section"]
        column = next(n for n, title in enumerate(header) if title in ("lab00", "Lab 0 (71)"))
        (possible,) = [line for line in lines if "Points Possible" in line[0]]
        assert float(possible[column]) == 6
        points = {line[1]: line[column] for line in lines if line[1].startswith("50")}
        assert len(points) == len(NAMES) and points["5002"] == "2.00" and points["5003"] == "0.00"
    table = {line[1]: line for line in lines}
    column = header.index("Lab 1 (72)")
    assert table["5004"][column] == "EX" and table["5007"][column] == "3.00"
    assert (
        table["5007"][header.index("Essay (74)")] == "9.5"
        and table["5007"][header.index("Notes")] == "a, b\nc"
    )
    assert table["9999"][column] == "" and table["5026"][0] == NAMES[26] and table["5029"][0] == NAMES[29]
    assert table["5027"][0] == "'" + NAMES[27]  # a formula is none any more; Canvas knows the student by ID


def test_moodles_worksheet_is_filled_and_read_back(week):
    header = ["Identifier", "Full name", "Email address", "Status", "Grade", "Maximum grade"]
    header += ["Last modified (submission)", "Last modified (grade)", "Feedback comments"]
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(header)
    for number, name in enumerate(NAMES):
        writer.writerow(
            [f"Participant {700 + number}", name, f"{number}@x.example", "Submitted", "", "6.00"] + ["-"] * 3
        )
    sheet = week.parent / "lab02.csv"
    sheet.write_text(text.getvalue(), encoding="utf-8")
    assert totals(week, "--fill", str(sheet)) == 1
    lines = {row["Identifier"]: row for row in rows(week / "filled-lab02.csv")}
    assert list(lines["Participant 700"]) == header and len(lines) == len(NAMES)
    assert lines["Participant 706"]["Grade"] == "4.75" and lines["Participant 703"]["Grade"] == "0.00"
    assert lines["Participant 706"]["Last modified (grade)"] == "-", "Moodle's word for never stays as it is"
    table = {row["ID number"]: row for row in rows(week / "moodle.csv")}
    assert table["5006"]["lab02"] == "4.75" and table["5006"]["Email address"] == "6@x.example"


def test_a_platform_that_holds_a_lab_for_other_points_is_named(week, capsys):
    """Points of 72 in a column of 26 would be taken as they are, and everybody would have too many."""
    export = week.parent / "export.csv"
    text = export.read_text(encoding="utf-8")
    assert ";;;;;;6;6;6;10;" in text
    export.write_text(text.replace(";;;;;;6;6;6;10;", ";;;;;;6;2,5;6;10;"), encoding="utf-8")
    worksheet = week.parent / "lab02.csv"
    worksheet.write_text(f"Identifier,Full name,Grade,Maximum grade\nP 7,{NAMES[7]},,100.00\n")
    totals(week, "--fill", str(worksheet))
    (canvas, moodle) = [line for line in capsys.readouterr().err.splitlines() if "set the assignment" in line]
    assert "lab01 has 6 points, its column there 2,5" in canvas
    assert "lab02 has 6 points, its column there 100.00" in moodle


def test_feedback_is_one_page_a_student_by_id_with_nothing_of_theirs_as_markup(week):
    totals(week)
    with zipfile.ZipFile(week / "feedback.zip") as archive:
        names = archive.namelist()
        assert len(names) == len(NAMES) - 1 and "5003.html" not in names and names[0] == "5000.html"
        assert all(re.fullmatch(r"50\d\d\.html", name) for name in names)
        page = archive.read("5000.html").decode()
    assert "<script>" not in page and "2.10 of 6" in page and "45.00 percent so far" in page


def test_open_points_and_overrides_of_the_formgrader_are_in_the_total(week):
    results = grade.kept_results(week)
    by_hand.agree(results, week).write()
    text = (week / "open.csv").read_text(encoding="utf-8")
    person = person_of(7)
    (week / "open.csv").write_text(text.replace(f"lab00,{person},q2,3,,", f"lab00,{person},q2,3,2.5,"))
    totals(week)
    table = by_id(week / "totals.csv")
    assert (table["5007"]["lab00"], table["5007"]["waiting"]) == ("5.50", "2")


def test_dropping_the_lowest_and_weights(week):
    (week / "policy.toml").write_text(policy(drop_lowest=1), encoding="utf-8")
    totals(week)
    table = by_id(week / "totals.csv")
    assert table["5000"]["percent"] == "50.00" and "dropped: lab01" in table["5000"]["remark"]


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("policy.toml", "late_dais = 3", "late_dais is no rule: they are counts"),
        ("policy.toml", 'counts = "worst"', "counts is one of last, best"),
        ("policy.toml", 'time_zone = "Mars/Olympus"', "time_zone is a name such as"),
        ("policy.toml", '[labs.lab00]\ndeadline = "soon"', "labs.lab00.deadline is a date and a time"),
        ("policy.toml", "late_days = -1", "late_days is a number, 0 or more"),
        ("policy.toml", "late_days = 1.5", "late_days is a whole number"),
        ("roster.csv", "nick,ID\nann,1\n", "has no column of names"),
        ("roster.csv", "name,ID\nAnn,1\nBob,1\n", "rows 2 and 3 both are '1'"),
        ("overrides.csv", "student,points\n1,2\n", "lacks the column lab"),
        ("overrides.csv", "student,lab,points\n5000,lab00,many\n", "row 2: points are a number"),
        ("overrides.csv", "student,lab\n5000,lab00\n5000,lab00\n", "row 3: 5000 has a row for lab00 already"),
        ("overrides.csv", "student,lab,deadline\n5000,lab00,tomorrow\n", "row 2: deadline is a date"),
    ],
)
def test_what_cannot_be_read_is_refused_in_a_sentence_and_changes_nothing(week, capsys, name, text, message):
    totals(week)
    before = {file: (week / file).read_bytes() for file in FILES}
    (week / name).write_text(text, encoding="utf-8")
    assert totals(week) != 0
    assert message in capsys.readouterr().err
    assert {file: (week / file).read_bytes() for file in FILES} == before


def test_a_start_writes_what_is_read_and_never_over_it(tmp_path):
    assert cli.main(["totals", str(tmp_path), "--start"]) == 0
    put(tmp_path, 0)
    (tmp_path / "policy.toml").write_text((tmp_path / "policy.toml").read_text() + "# mine\n")
    assert cli.main(["totals", str(tmp_path), "--start"]) == 0
    assert (tmp_path / "policy.toml").read_text().endswith("# mine\n")
    assert cli.main(["totals", str(tmp_path)]) == 0
    assert json.loads((tmp_path / "results" / next((tmp_path / "results").iterdir()).name).read_text())
