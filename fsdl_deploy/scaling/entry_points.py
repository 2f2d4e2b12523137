"""One handler, three clouds: what each cloud calls, and how many lines that takes around ``respond``

Reads the sources and runs nothing.
"""

import ast
from dataclasses import dataclass
from pathlib import Path

from fsdl_deploy.paths import ROOT


@dataclass(frozen=True)
class EntryPoint:
    """What a cloud calls: the function ``name`` in ``file``, a path in the clone."""

    cloud: str
    file: str
    name: str

    @property
    def source(self) -> str:
        """Its lines, decorators too, without the docstring."""
        text = Path(ROOT, self.file).read_text(encoding="utf-8")
        (node,) = [
            node
            for node in ast.parse(text).body
            if isinstance(node, ast.FunctionDef) and node.name == self.name
        ]
        first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
        left_out = range(0)
        if ast.get_docstring(node) is not None:
            left_out = range(node.body[0].lineno, node.body[0].end_lineno + 1)
        lines = text.splitlines()
        numbers = [number for number in range(first, node.end_lineno + 1) if number not in left_out]
        return "\n".join(lines[number - 1] for number in numbers)

    @property
    def lines(self) -> int:
        """How many lines that are not empty."""
        return sum(bool(line.strip()) for line in self.source.splitlines())


ENTRY_POINTS = (
    EntryPoint("AWS Lambda", "fsdl_deploy/scaling/serverless.py", "handler"),
    EntryPoint("Google Cloud Run functions", "infra/scaling/cloud_functions/main.py", "read_card"),
    EntryPoint("Azure Functions", "infra/scaling/azure_functions/function_app.py", "read_card"),
)
