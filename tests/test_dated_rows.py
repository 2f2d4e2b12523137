"""What the rules take and refuse, at their edges; the tables that use them have tests of their own."""

from datetime import date, datetime, timedelta

import pytest

from fsdl_deploy import dated_rows
from fsdl_deploy.dated_rows import DatedRowError

TODAY = date.today()


@pytest.mark.parametrize(
    ("rule", "value", "good"),
    [
        (dated_rows.text, "a", True),
        (dated_rows.text, " ", False),
        (dated_rows.text, 7, False),
        *[
            (dated_rows.address, text, True)
            for text in ("https://a.example", "https://a-b.example:8443/c?d#e", "https://xn--bcher-kva.example/")
        ],
        *[
            (dated_rows.address, text, False)
            for text in (
                "https://", "https:///path", "https://host", "http://a.example", "https://a..example",
                "https://.",
                "https://a.example:port", "https://a.example:0", "https://a b.example", 
                "https://a.example/b c",
                "https://-a.example", "see https://a.example", "https://[a.example", "", None, 3,
            )
        ],
        (dated_rows.day, TODAY, True),
        (dated_rows.day, TODAY + timedelta(days=7), False),
        (dated_rows.day, datetime(2026, 1, 31), False),
        (dated_rows.day, "2026-01-31", False),
        (dated_rows.month, "2026-11", True),
        (dated_rows.month, "2026-13", False),
        (dated_rows.month, "2126-11", False),
        (dated_rows.month, "2026-1", False),
        (dated_rows.positive, 1e-9, True),
        *[(dated_rows.positive, value, False) for value in (0, -1, float("inf"), float("nan"), True, "1")],
        *[(dated_rows.positive, value, False) for value in (1e300, 1e-300, 10**400, [1], {})],
        (dated_rows.flag, False, True),
        (dated_rows.flag, 0, False),
        (dated_rows.choice(["a", "b"]), "b", True),
        (dated_rows.choice(["a", "b"]), ["a"], False),
        (dated_rows.or_unknown(dated_rows.day), "unknown", True),
        (dated_rows.or_unknown(dated_rows.day), "Unknown", False),
        (dated_rows.each(dated_rows.text), ["a", "b"], True),
        (dated_rows.each(dated_rows.text), ["a", ""], False),
        (dated_rows.each(dated_rows.text), "ab", False),
    ],
)  # fmt: skip
def test_a_rule(rule, value, good):
    assert (rule(value) == "") is good


def test_months_count():
    assert dated_rows.months("2026-01") - dated_rows.months("2025-12") == 1


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"size": 1}, "ours has no name: say it"),
        ({"name": "", "size": 1}, "ours has no name"),
        ({"name": "a", "size": 0}, "ours: size must be a number above 0, not 0"),
        ({"name": "a", "size": 1, "sise": 2}, "ours: unknown sise; the fields are name, size, note"),
        ({"name": "a", "size": 1, "note": ""}, "ours: note must be a text"),
        (["name"], "ours is no row"),
    ],
)
def test_a_row_that_is_wrong_is_named_with_its_field(row, message):
    required = {"name": dated_rows.text, "size": dated_rows.positive}
    with pytest.raises(OwnError, match=message):
        dated_rows.check("ours", row, required, {"note": dated_rows.text}, OwnError, "say it")
    dated_rows.check("ours", {"name": "a", "size": 1}, required)


class OwnError(ValueError):
    """A table's own kind of error."""


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "there is no row"),
        ("[[row]]\nsize = 1", "row 1 of .* has no name"),
        ('[[row]]\nname = "a"\n[[row]]\nname = "a"', "a is there twice"),
        ('[[row]]\nname = "a"\n[[row]]\nname = 3', "row 2 of"),
        ("row = 7", "there is no row"),
        ("row = [7]", "there is no row"),
        ("[[row]", "cannot be read"),
        ("row = " + "[" * 5000, "cannot be read: lists or tables in it are nested too deeply"),
        ("row = " + "9" * 5000, "cannot be read"),
    ],
)
def test_a_list_of_rows_that_is_wrong(tmp_path, content, message):
    file = tmp_path / "rows.toml"
    file.write_text(content, encoding="utf-8")
    with pytest.raises(DatedRowError, match=message):
        dated_rows.listed(dated_rows.document(file), "row", "name")
