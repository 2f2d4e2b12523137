"""The page of claims says what is on record, and nothing where there is nothing."""

import json

from fsdl_course import claims_page, cli
from fsdl_course.claims import FAILS, HOLDS, PARTLY, Claim
from fsdl_course.claims_page import UNMEASURED, WAITING, OnRecord
from fsdl_deploy.paths import ROOT

MINE = {"date": "2026-11-30", "machine": "two cores"}
RUN = MINE | {
    "lessons": {
        "07_scaling": {"tables": [{"header": ["a"], "rows": [["“Copies”", "3 × one", PARTLY], ["“One”"]]}]},
        "tools/nginx": {"date": "2026-12-01", "machine": "four cores"}
        | {"tables": [{"header": ["a"], "rows": [["“Balancer”", "9/s", HOLDS]]}]},
    }
}
PLACE = {"notebook": "07_scaling", "section": "Copies, counted", "holds": "rate > 1"}


def claim(quote: str, **more) -> Claim:
    return Claim(115, quote, "notes", "07", **more)


def test_the_run_of_a_lesson_or_of_a_tool_says_its_own_date_and_machine():
    assert claims_page.seen(claim("Copies", **PLACE), ROOT, RUN) == OnRecord(
        "3 × one", PARTLY, "2026-11-30, two cores"
    )
    tool = claim("Balancer", **PLACE | {"notebook": "tools/nginx"})
    assert claims_page.seen(tool, ROOT, RUN) == OnRecord("9/s", HOLDS, "2026-12-01, four cores")


def test_a_record_is_judged_again_and_says_when_it_was_made(tmp_path):
    record = {"date": "2026-11-01", "machine": "old", "rate": 0.5}
    (tmp_path / "rates.json").write_text(json.dumps(record))
    judged = claim("Copies", record="rates.json", shows="{rate}/s", **PLACE)
    assert claims_page.seen(judged, tmp_path, RUN) == OnRecord("0.5/s", FAILS, "2026-11-01, old")


def test_what_nothing_can_decide_says_why_and_what_did_not_run_says_so():
    assert claims_page.seen(claim("Fun", undecided="no unit"), ROOT, RUN) == OnRecord("no unit", UNMEASURED)
    assert claims_page.seen(claim("Other", **PLACE), ROOT, RUN) == OnRecord("", WAITING)
    assert claims_page.seen(claim("Later", to_come="08"), ROOT, RUN) == OnRecord("", WAITING)


def test_the_page_has_a_row_a_claim_and_counts_what_its_filter_shows(tmp_path):
    rows = (
        '[[claim]]\nnumber = {}\nquote = "{}"\nsource = "notes"\nlesson = "07"\n'
        'notebook = "07_scaling"\nsection = "Copies, counted"\nholds = "rate > 1"\n'
    )
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "notebooks/claims.toml").write_text(rows.format(9, "One") + rows.format(2, "Copies"))
    (tmp_path / "slides").mkdir()
    (tmp_path / "slides/lessons.json").write_text(json.dumps(RUN))
    page = claims_page.document(tmp_path, {"07": "07 Scaling"}, "build")
    assert "## 07 Scaling" in page and page.index("| 2 |") < page.index("| 9 |")
    assert "](<../notebooks/07_scaling.ipynb#Copies,-counted>)" in page
    assert '<span class="verdict partly">holds partly</span>' in page
    for choice in ("> all 2<", "> holds partly (1)<", "> not in the recorded run (1)<"):
        assert choice in page
    assert "> holds (" not in page


def test_every_row_of_the_courses_own_page_has_a_verdict(capsys):
    page = claims_page.document(ROOT)
    run = json.loads((ROOT / "slides/lessons.json").read_text(encoding="utf-8"))
    assert page.count('<span class="verdict') == page.count("\n| ") - page.count("\n| no. |")
    assert run["date"] in page and run["machine"] in page
    assert cli.main(["claims", "--page"]) in (0, 1) and "build/claims.md" in capsys.readouterr().out
