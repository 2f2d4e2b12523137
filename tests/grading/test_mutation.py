"""Mutants: each fault that the labs' exercises know is made, once, and nothing else."""

import ast

import pytest

from fsdl_course.grading.mutants.mutation import FaultySolution, mutants


def of(source: str) -> list[str]:
    """The bodies of a function's mutants, each as one line."""
    return [" ".join(mutant.source.split()) for mutant in mutants(source)]


@pytest.mark.parametrize(
    ("was", "becomes"),
    [
        ("a < b", "a <= b"),
        ("a < b", "a < b + 1"),
        ("a >= 2", "a >= 3"),
        ("a <= b < c", "a <= b"),
        ("a and b", "a or b"),
        ("not a", "a"),
        ("a - b", "b - a"),
        ("a // b", "a / b"),
        ("min(a, b)", "max(a, b)"),
        ("max(0, a)", "a"),
        ("re.fullmatch('[0-9]+', a)", "re.match('[0-9]+', a)"),
        ("re.fullmatch('[0-9]+', a)", "re.fullmatch('[0-9]*', a)"),
        ("re.fullmatch('[0-9]+', a)", "re.fullmatch('\\\\d+', a)"),
        ("sorted(a, key=b)", "sorted(list(a)[::-1], key=b)"),
        ("sorted(a, key=b)", "sorted(a)"),
        ("sorted(a, reverse=True)", "sorted(a, reverse=False)"),
        ("kept.pop(a, b)", "kept.get(a, b)"),
        ("a[1:]", "a[2:]"),
        ("a[:b]", "a[:b - 1]"),
        ("a['x'] + a['y']", "a['y'] + a['y']"),
        ("range(len(a))", "range(len(a) - 1)"),
        ("[x for x in a if x]", "[x for x in a]"),
        ("a if b else c", "c"),
        ("f(a, b)", "f(b, a)"),
        ("(a, b)", "(b, a)"),
        ("a + b", "a + a"),
        ("'INSERT INTO t'", "'INSERT OR REPLACE INTO t'"),
        ("round(a)", "int(a)"),
    ],
)
def test_an_expression_gets_its_fault(was, becomes):
    head = "def f(a, b, c, kept): return "
    assert head + becomes in of(head + was)


@pytest.mark.parametrize(
    ("was", "becomes"),
    [
        ("x = a\n    x += b\n    return x", "x = a pass return x"),
        ("x = a\n    x += b\n    return x", "x = a x = b return x"),
        ("for x in a:\n        b(x)", "for x in a: b(x) break"),
        ("for x in a:\n        b(x)", "for x in list(a)[1:]: b(x)"),
        ("while a:\n        break", "while a: pass"),
        ("while a:\n        continue", "while a: break"),
        ("if a:\n        return 1\n    return 2", "if False: return 1 return 2"),
        ("if a:\n        return 1\n    return 2", "if not a: return 1 return 2"),
        ("try:\n        a()\n    except ValueError:\n        b()", "try: a() except KeyError: b()"),
        ("raise ValueError", "raise KeyError"),
        ("return a", "return None"),
    ],
)
def test_a_statement_gets_its_fault(was, becomes):
    head = "def f(a, b):\n    "
    assert f"def f(a, b): {becomes}" in of(head + was)


def test_nothing_that_no_value_depends_on_is_touched():
    head = 'import re\n\ndef f(a: list[int]) -> dict[str, 3]:\n    """Of 5."""\n'
    source = head + "    return zip(a, a, strict=True)"
    for mutant in mutants(source):
        tree = ast.parse(mutant.source)
        assert isinstance(tree.body[0], ast.Import) and ast.get_docstring(tree.body[1]) == "Of 5."
        assert ast.unparse(tree.body[1].args) == "a: list[int]"
        assert "strict=True" in mutant.source or "zip" not in mutant.source


def test_each_mutant_differs_from_the_source_and_from_the_others_and_compiles():
    loop = "    total = 0\n    for x in a:\n        total += x * b\n"
    source = f"def f(a, b):\n{loop}    return total if total > 1 else -1"
    mutated = mutants(source)
    assert len(mutated) > 20 and len({mutant.source for mutant in mutated}) == len(mutated)
    for mutant in mutated:
        compile(mutant.source, "mutant", "exec")
        assert mutant.source != mutant.original == ast.unparse(ast.parse(source))


def test_only_the_lines_asked_for_have_faults():
    source = "def given(a):\n    return a + 1\ndef f(a):\n    return a - 1"
    assert all("return a + 1" in mutant.source for mutant in mutants(source, {3, 4}))
    assert any("return a + 1" not in mutant.source for mutant in mutants(source))


def test_a_digest_stays_when_only_the_layout_changes_and_expires_with_any_line():
    first = FaultySolution("def f(a):\n    return a < 1", "def f(a):\n    return a <= 1")
    assert FaultySolution("def f(a): return (a < 1)", "def f(a):  return a <= 1").digest == first.digest
    assert (
        FaultySolution("def f(a):\n    return a < 2", "def f(a):\n    return a <= 1").digest != first.digest
    )
    assert (
        FaultySolution("def f(a):\n    return a < 1", "def f(a):\n    return a == 1").digest != first.digest
    )
    assert first.difference == "-    return a < 1\n+    return a <= 1"
