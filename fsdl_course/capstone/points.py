"""What lab 10 is judged by: each criterion, its points, and what it takes for it to be held."""

from dataclasses import dataclass

NOMINAL_MS = 8.0
"""A plain reading of a card on the machine that the brief's times are meant for."""
HELD, BROKEN, UNKNOWN = "held", "broken", "unknown"


@dataclass(frozen=True)
class Criterion:
    """One thing that is judged; ``held`` says in a sentence what it takes."""

    name: str
    points: int
    held: str


TABLE = (
    Criterion("correctness", 20, "every answer is what the active version's graph reads on that picture"),
    Criterion("lost", 16, "every card sent is answered in the end, and known after every restart"),
    Criterion("recovery", 12, "SIGTERM ends it with status 0 within 10 s; after kill -9 it is ready in time"),
    Criterion("refusals", 10, "what is wrong is refused with a 4xx that names the field; nothing good is"),
    Criterion("versions", 8, "5 s after its announcement a version reads; a broken one changes nothing"),
    Criterion("p99", 10, "99 of 100 cards are answered within the brief's time, outside of restarts"),
    Criterion("memory", 8, "all of its processes stay below what capstone.toml rents, and it stops growing"),
    Criterion("start", 6, "it is ready in the brief's time, and a card sent the moment it says so is read"),
    Criterion("cost", 6, "the replicas that the brief's busiest second needs cost no more than its budget"),
    Criterion("privacy", 4, "where the brief forbids it, no picture stands in STATE or in the log"),
)  # fmt: skip
TOTAL = sum(criterion.points for criterion in TABLE)
