"""What a lesson sets is found however it is written, and nothing is that it only reads."""

import pytest

from fsdl_course.claim_results import results_set
from fsdl_deploy.paths import ROOT

MODULE = """
from fsdl_deploy.other import more


def figures(month):
    if month:
        return {"first": 1} | more()
    result = {"second": 2, month: 3}
    result["third"] = 3
    return result


def unasked():
    return {"never": 0}
"""
RETURNED = {"first", "second", "third", "fourth"}


@pytest.fixture
def root(tmp_path):
    (tmp_path / "fsdl_deploy").mkdir()
    (tmp_path / "fsdl_deploy" / "some.py").write_text(MODULE)
    (tmp_path / "fsdl_deploy" / "other.py").write_text("def more():\n    return dict(fourth=4)\n")
    return tmp_path


@pytest.mark.parametrize(
    ("cell", "names"),
    [
        ('measured["a"] = 1', {"a"}),
        ('measured["a"], measured["b"] = 1, 2', {"a", "b"}),
        ('measured["a"]: int = 1', {"a"}),
        ('for measured["a"] in range(3):\n    pass', {"a"}),
        ('if True:\n    measured["a"] = 1', {"a"}),
        ('measured = {"a": 1, "b": 2}', {"a", "b"}),
        ('x, measured = 1, {"a": 1}', {"a"}),
        ('measured |= {"a": 1, **{"b": 2}}', {"a", "b"}),
        ('measured = measured | dict(a=1)', {"a"}),
        ('measured.update({"a": 1}, b=2)', {"a", "b"}),
        ("from fsdl_deploy import some\nmeasured |= some.figures(1)", RETURNED),
        ("from fsdl_deploy.some import figures as of\nmeasured.update(of(1))", RETURNED),
        ('print(measured["a"])', set()),
        ('measured["a"]["b"] = 1', set()),
        ('measured[name] = 1', set()),
        ('other["a"] = 1', set()),
        ('measured.get("a", 1)', set()),
        ('# measured["a"] = 1', set()),
        ('text = \'measured["a"] = 1\'', set()),
        ("measured |= some.figures(1)", set()),
        ("from fsdl_deploy import gone\nmeasured |= gone.figures(1)", set()),
        ('%timeit measured["a"] = 1', set()),
    ],
)  # fmt: skip
def test_what_a_cell_sets(root, cell, names):
    assert results_set(f"# %% [markdown]\n# Text\n\n# %%\n{cell}\n", root) == names


def test_an_import_may_stand_in_an_earlier_cell_and_a_magic_spoils_only_its_own(root):
    source = '# %%\nfrom fsdl_deploy import some\n# %%\n%magic\n# %% tags=["x"]\nmeasured |= some.unasked()\n'
    assert results_set(source, root) == {"never"}


def test_the_lesson_on_costs_takes_over_the_takeaways():
    source = (ROOT / "notebooks" / "source" / "09b_managed_costs.py").read_text(encoding="utf-8")
    assert {"servers", "endpoint_times", "spiky_or_low", "break_even"} <= results_set(source, ROOT)
