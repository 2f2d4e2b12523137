"""What PromQL expressions ask for: a JSON list of them on standard input, a list of as many answers out.

Each answer has ``selectors``, of which series the expression asks (name, and its conditions on labels), and
``quantiles``, where the result of a histogram_quantile is compared with a number. ``error`` says what is
wrong with an expression that is no PromQL.
"""

import json
import sys

import promql_parser as promql

OPERATORS = {"Equal": "=", "NotEqual": "!=", "Re": "=~", "NotRe": "!~"}


def parts(node) -> list:
    """The expressions directly inside one."""
    inside = [getattr(node, name, None) for name in ("lhs", "rhs", "expr", "param", "vector_selector")]
    inside += list(getattr(node, "args", None) or ())
    return [part for part in inside if type(part).__module__.startswith("promql_parser")]


def everything(node) -> list:
    """An expression and all that is inside it."""
    return [node, *(inner for part in parts(node) for inner in everything(part))]


def selector(node) -> dict:
    """One selector: the metric's name, and ``[label, operator, value]`` for each condition."""
    matchers = [[m.name, OPERATORS[str(m.op).rpartition(".")[2]], m.value] for m in node.matchers.matchers]
    named = [value for name, operator, value in matchers if name == "__name__" and operator == "="]
    return {
        "name": node.name or (named[0] if named else None),
        "matchers": [condition for condition in matchers if condition[0] != "__name__"],
    }


def quantiles(node) -> list[dict]:
    """A comparison of a quantile with a number, such as ``histogram_quantile(0.99, …) > 0.5``."""
    if not isinstance(node, promql.BinaryExpr) or not isinstance(node.rhs, promql.NumberLiteral):
        return []
    left = node.lhs
    while isinstance(left, promql.ParenExpr):
        left = left.expr
    if getattr(getattr(left, "func", None), "name", "") != "histogram_quantile":
        return []
    names = [inner.name for inner in everything(left) if isinstance(inner, promql.VectorSelector)]
    return [{"metric": name, "operator": str(node.op), "limit": node.rhs.val} for name in names]


def answer(expression: str) -> dict:
    """What one expression asks for."""
    try:
        nodes = everything(promql.parse(expression))
    except ValueError as error:
        return {"error": str(error)}
    return {
        "selectors": [selector(node) for node in nodes if isinstance(node, promql.VectorSelector)],
        "quantiles": [comparison for node in nodes for comparison in quantiles(node)],
    }


if __name__ == "__main__":
    json.dump([answer(expression) for expression in json.load(sys.stdin)], sys.stdout)
