"""The pages that results are shown on: one look, and everything that comes from a student escaped."""

import html

STYLE = """
body {font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem}
table {border-collapse: collapse; width: 100%} img {max-width: 100%}
td, th {padding: .3rem .6rem; text-align: left; vertical-align: top; border-bottom: 1px solid #ddd}
td.n, th.n {text-align: right; font-variant-numeric: tabular-nums}
code {background: #f4f4f4; padding: 0 .2rem; overflow-wrap: anywhere}
.no {color: #b00020} .ok {color: #1b7837}
"""


def page(title: str, body: str) -> str:
    """A whole page; title and body are HTML."""
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title>'
        f"<style>{STYLE}</style>{body}</html>\n"
    )


def escaped(text: object) -> str:
    return html.escape(str(text))
