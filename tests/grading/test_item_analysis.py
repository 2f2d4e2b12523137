"""How hard each part was, and which case most fail."""

from made_results import result, rows

from fsdl_course.grading import item_analysis


def failing(student, call, case=0):
    graded = result(student, points=0)
    graded["questions"][0]["parts"][0].update(call=call, problem=f"wrong for {call}")
    if case:
        graded["questions"][0]["parts"][1].update(problem="it is wrong", points=0, case=case)
        graded["questions"][0]["points"] = 0
    return graded


def test_shares_and_the_case_that_fails_most():
    class_ = [result("ann"), failing("bob", "f(1)"), failing("cem", "f(2)", 4), failing("dia", "f(2)", 4)]
    class_ += [failing("eva", "f(2)", 1), result("fay", problem="it is no notebook")]
    whole, small, others = item_analysis.item_rows(class_)
    assert (whole.part, whole.right, whole.hand_ins, whole.share) == ("", 1, 5, 0.2)
    assert whole.mean == (3 + 2 + 0 + 0 + 0) / 5
    assert (small.part, small.right, small.case, small.often, small.problem) == (
        "small",
        1,
        "f(2)",
        3,
        "wrong for f(2)",
    )
    assert (others.right, others.case, others.often) == (2, "private case 4", 2)


def test_the_table_has_no_formula_and_the_page_no_markup(tmp_path):
    items = item_analysis.item_rows([failing("bob", "=f(<b>)"), result("ann")])
    item_analysis.write(items, tmp_path)
    row = rows(tmp_path / "parts.csv")[1]
    assert (row["share right"], row["fails most"], row["cases"]) == ("0.500", "'=f(<b>)", "public")
    assert "<b>)" not in item_analysis.page_part(items)


def test_a_class_of_whom_nothing_can_be_read_has_no_rows():
    assert item_analysis.item_rows([result("fay", problem="it is no notebook")]) == []
