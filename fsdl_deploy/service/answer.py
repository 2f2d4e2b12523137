"""What the service answers: readings as JSON.

Knows the fields of one reading; knows nothing about requests, or about the clouds' ways to write an answer.
"""

from collections.abc import Sequence

from pydantic import BaseModel, Field

from fsdl_deploy.reading import Reading


class ReadingOut(BaseModel):
    """One picture read: the digits from left to right, and how sure the model is."""

    digits: str = Field(pattern="^[0-9]*$")
    confidence: float = Field(ge=0, le=1)
    digit_confidence: list[float]


class Answer(BaseModel):
    """The readings, in the order of the pictures."""

    model_version: str
    readings: list[ReadingOut]


def readings_out(readings: Sequence[Reading]) -> list[ReadingOut]:
    """A reader's readings as the service gives them. Raises ValueError for one that it cannot give."""
    names = tuple(ReadingOut.model_fields)
    return [ReadingOut(**{name: getattr(reading, name) for name in names}) for reading in readings]
