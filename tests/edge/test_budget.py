"""The budget: what fits fits, each line that is passed is a reason, and a budget with a hole is refused."""

import json

import pytest

from fsdl_deploy import cli, weights
from fsdl_deploy.edge import budget

TEXT = budget.FILE.read_text(encoding="utf-8")


def test_v2_fits_its_budget_and_the_teacher_does_not(capsys):
    assert cli.main(["edge", "budget", "v2", "--counted"]) == 0
    assert "refused" not in capsys.readouterr().out
    assert cli.main(["edge", "budget", "teacher", "--counted"]) == 1
    printed = capsys.readouterr().out
    assert printed.count("refused:") == 3 and "refused: multiply_adds:" in printed


def test_all_figures_are_measured(capsys):
    assert cli.main(["edge", "budget", "v2", "--cards", "60", "--json"]) in (0, 1)  # ms are the machine's
    lines = {line["figure"]: line for line in json.loads(capsys.readouterr().out)}
    assert list(lines) == [*budget.COUNTED, *budget.MEASURED]
    assert lines["bytes"]["value"] == len(weights.verified("v2.onnx"))
    assert 20 < lines["mebibytes"]["value"] < 1000 and lines["ms"]["value"] > 0
    assert lines["right"]["value"] > 0.85


@pytest.mark.parametrize("figure", ["bytes", "ms", "mebibytes", "right"])
def test_each_line_alone_refuses(figure):
    known = budget.read(TEXT)
    figures = {
        name: known.most.get(name, known.least.get(name)) for name in (*budget.COUNTED, *budget.MEASURED)
    }
    assert all(line.fits for line in budget.judged(figures, known))
    figures[figure] *= 0.999 if figure == "right" else 1.001
    (line,) = [line for line in budget.judged(figures, known) if not line.fits]
    assert line.figure == figure and line.reason.startswith(f"{figure}: ")


def test_growth_refuses_what_still_fits():
    known = budget.read(TEXT)
    before = {"bytes": 500_000, "multiply_adds": 10_000_000}
    assert budget.grown({"bytes": 505_000, "multiply_adds": 10_000_000}, before, known) == []
    (reason,) = budget.grown({"bytes": 505_000, "multiply_adds": 10_500_000}, before, known)
    assert reason.startswith("multiply_adds: 5.0% more than before")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("ms = 100 ", "# ", r"\[most\] ms"),
        ("ms = 100 ", "ms = nan ", r"\[most\] ms"),
        ("ms = 100 ", "ms = true ", r"\[most\] ms"),
        ("right = 0.93", 'right = "0.93"', r"\[least\] right"),
        ("slower = 8", "slower = -8", r"\[device\] slower"),
        ("slower = 8", "slower = 0", r"\[device\] slower = a number above 0"),
        ("right = 0.93", "right = 93", r"\[least\] right = a share"),
        ("[least]", "[[least]]", r"write \[least\]"),
        ("[growth]", "[grows]", r"unknown table \[grows\]"),
        ("mebibytes = 96", "mebibytes = 96\nmegabytes = 9", "unknown megabytes"),
        ("[most]", "[most", "not TOML"),
    ],
)
def test_a_budget_with_a_hole_is_refused(old, new, message):
    assert old in TEXT
    with pytest.raises(budget.BudgetError, match=message):
        budget.read(TEXT.replace(old, new, 1))


def test_a_table_that_is_a_number_is_refused():
    with pytest.raises(budget.BudgetError, match=r"write \[most\]"):
        budget.read("most = 5\n[least]\nright = 0.9\n")


def test_what_is_no_model_ends_with_a_sentence(tmp_path, capsys):
    file = tmp_path / "model.onnx"
    file.write_bytes(b"no graph")
    assert cli.main(["edge", "budget", str(file)]) == 1
    assert "this is no reader in ONNX" in capsys.readouterr().err
    assert cli.main(["edge", "budget", "v9"]) == 1
    assert "'v9' is neither a file nor a version on record" in capsys.readouterr().err
