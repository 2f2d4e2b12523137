"""One table for all that is measured: text in a terminal, HTML in a notebook, Markdown in a model card.

Knows nothing of what stands in it.
"""

import html
from collections.abc import Iterable, Sequence
from numbers import Number

WIDE = 120  # characters of a line, from which on columns stand close together


class Table:
    """``Table(["rung", "cards/s"], ["teacher", 25.4], ["v2", 1200.0], formats=["", ",.0f"])``.

    ``formats``: one for each column, as for ``format``; a column without one shows ``str`` of its cells. A
    format is for numbers: text stands as it is, and None is an empty cell. A column with numbers, or with
    a format, is aligned to the right, any other to the left. ``caption`` stands above the table, each of
    ``notes`` below it. Raises ValueError for a row of another length than ``header``.
    """

    def __init__(
        self,
        header: Sequence[object],
        *rows: Iterable[object],
        formats: Sequence[str] = (),
        caption: str = "",
        notes: Sequence[str] = (),
    ):
        self.header, self.caption, self.notes = [str(name) for name in header], caption, list(notes)
        formats = [*formats, *[""] * (len(self.header) - len(formats))]
        cells = [list(row) for row in rows]
        for row in cells:
            if len(row) != len(self.header):
                raise ValueError(f"a row of {len(row)} cells under {len(self.header)} columns: {row}")
        self.rows = [[_shown(cell, how) for cell, how in zip(row, formats, strict=True)] for row in cells]
        columns = zip(*cells, strict=True) if cells else [()] * len(self.header)
        self.to_the_right = [
            bool(how) or any(isinstance(cell, Number) for cell in column)
            for how, column in zip(formats, columns, strict=True)
        ]

    def __str__(self) -> str:
        """The table as aligned text, for a terminal."""
        lines = [self.header, *self.rows]
        widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
        gap = "  " if sum(widths) + 2 * len(widths) <= WIDE else " "
        table = [
            gap.join(
                cell.rjust(width) if right else cell.ljust(width)
                for cell, width, right in zip(line, widths, self.to_the_right, strict=True)
            ).rstrip()
            for line in lines
        ]
        return "\n".join([self.caption] * bool(self.caption) + table + self.notes)

    __repr__ = __str__

    def _repr_html_(self) -> str:
        sides = ["right" if right else "left" for right in self.to_the_right]
        head = "".join(
            f'<th scope="col" style="text-align: {side}">{html.escape(name)}</th>'
            for name, side in zip(self.header, sides, strict=True)
        )
        body = []
        for first, *others in self.rows:
            cells = [f'<th scope="row" style="text-align: {sides[0]}">{html.escape(first)}</th>']
            cells += [
                f'<td style="text-align: {side}">{html.escape(cell)}</td>'
                for cell, side in zip(others, sides[1:], strict=True)
            ]
            body.append(f"<tr>{''.join(cells)}</tr>")
        caption = f"<caption>{html.escape(self.caption)}</caption>" if self.caption else ""
        notes = "".join(f"<p>{html.escape(note)}</p>" for note in self.notes)
        table = f"<thead><tr>{head}</tr></thead><tbody>{''.join(body)}</tbody>"
        return f"<table>{caption}{table}</table>{notes}"

    def markdown(self) -> str:
        """The table for a Markdown file; a bar within a cell is escaped."""
        lines = [[cell.replace("|", r"\|") for cell in line] for line in (self.header, *self.rows)]
        head, *body = (f"| {' | '.join(line)} |" for line in lines)
        rule = "".join("|---:" if right else "|---" for right in self.to_the_right) + "|"
        return "\n".join([head, rule, *body])


def _shown(cell: object, how: str) -> str:
    if cell is None:
        return ""
    return cell if isinstance(cell, str) else format(cell, how)
