"""Four services beside each other: a row is shown by a notebook or has dated sources."""

import pytest

from fsdl_deploy.managed import side_by_side
from fsdl_deploy.managed.side_by_side import RowError
from fsdl_deploy.paths import ROOT

ROW = """
[[row]]
what = "health"
vertex = "a"
azureml = "b"
sagemaker = "c"
mlflow = "unknown"
notebooks = ["vertex"]
sources = ["https://somebody.example"]
date = 2026-11-29
"""


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ('mlflow = "unknown"', "", 'health has no mlflow: write "unknown"'),
        ('["vertex"]\nsources = ["https://somebody.example"]', "[]", "neither a notebook"),
        ("date = 2026-11-29", "", "sources and no date"),
        ('sources = ["https://somebody.example"]', "", "no sources and a date"),
        ("https://", "", "sources must be a list, each an address"),
        ("2026-11-29", "2126-11-29", "date that is not still to come"),
        ('["vertex"]', '["triton"]', "notebooks must be a list, each one of vertex"),
        ("notebooks =", 'price = "1"\nnotebooks =', "unknown price"),
    ],
)
def test_a_row_that_is_not_whole_is_refused(tmp_path, before, after, message):
    assert before in ROW
    file = tmp_path / "rows.toml"
    file.write_text(ROW.replace(before, after))
    with pytest.raises(RowError, match=message):
        side_by_side.rows(file)


def test_rows_are_counted_and_their_notebooks_exist():
    known, counted = side_by_side.rows(), side_by_side.counts()
    assert counted["of"] == len(known) == len(side_by_side.table().rows)
    assert counted["shown"] == sum(bool(row.notebooks) for row in known) > counted["of"] / 2
    assert counted["unknown"] >= 1
    tools = ROOT / "notebooks" / "source" / "tools"
    names = {name for row in known for name in row.notebooks} - {"sagemaker"}
    assert names == {"vertex", "azure_ml", "mlflow_serving"}
    assert all((tools / f"{name}.py").is_file() for name in names)
