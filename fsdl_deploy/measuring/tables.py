"""A small table: text in a terminal, HTML in a notebook.

Knows cells as text; knows nothing about what was measured.
"""

import html
from collections.abc import Iterable, Sequence


class Table:
    """``Table(["", "p50 ms"], [["1 user", "3.1"]])``: a label a row, then cells set to the right."""

    def __init__(self, header: Sequence[str], rows: Iterable[Sequence[str]]):
        self.rows = [tuple(header), *map(tuple, rows)]

    def __repr__(self) -> str:
        widths = [max(map(len, column)) for column in zip(*self.rows, strict=True)]
        lines = []
        for label, *cells in self.rows:
            right = (cell.rjust(width) for cell, width in zip(cells, widths[1:], strict=True))
            lines.append("  ".join([label.ljust(widths[0]), *right]).rstrip())
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        head, *body = [[html.escape(cell) for cell in row] for row in self.rows]
        lines = ["<tr>" + "".join(f'<th scope="col">{cell}</th>' for cell in head) + "</tr>"]
        for label, *cells in body:
            lines.append(
                f'<tr><th scope="row">{label}</th>' + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>"
            )
        return "<table>" + "".join(lines) + "</table>"
