"""The tables of the store: predictions, cards that were set aside, and the runs of the job.

Rows are keyed by what they are about, not by when they were written. Every time is in UTC. Knows nothing of
databases and of who writes the rows.
"""

import sqlalchemy as sa

metadata = sa.MetaData()


def _about(key: str, *columns: sa.Column) -> list[sa.Column]:
    """Columns of a table with one row for each month, ``key`` and model version, and what wrote it when."""
    return [
        sa.Column("month", sa.String(7), primary_key=True),
        sa.Column(key, sa.Text, primary_key=True),
        sa.Column("model_version", sa.Text, primary_key=True),
        *columns,
        sa.Column("run", sa.Text, nullable=False),
        sa.Column("time", sa.DateTime, nullable=False),
    ]


predictions = sa.Table(
    "predictions",
    metadata,
    *_about(
        "customer",
        sa.Column("digits", sa.Text, nullable=False),
        sa.Column("confidence", sa.Double, nullable=False),
        sa.Column("picture", sa.Text, nullable=False),
    ),
)
set_aside = sa.Table(
    "set_aside",
    metadata,
    *_about(
        "picture",
        sa.Column("customer", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
    ),
)
runs = sa.Table(
    "runs",
    metadata,
    sa.Column("run", sa.Text, primary_key=True),
    sa.Column("month", sa.String(7), nullable=False),
    sa.Column("model_version", sa.Text, nullable=False),
    sa.Column("started", sa.DateTime, nullable=False),
    sa.Column("heartbeat", sa.DateTime, nullable=False),
    sa.Column("finished", sa.DateTime),
    sa.Column("cards", sa.Integer, nullable=False),
    sa.Column("read", sa.Integer, nullable=False),
    sa.Column("set_aside", sa.Integer, nullable=False),
    sa.Column("error", sa.Text),
)
