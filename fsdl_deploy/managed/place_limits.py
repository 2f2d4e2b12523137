"""What a place cannot take: more memory, a longer call or a larger body than its provider allows

The limits are rows of the table of prices in use, each with its date and source. Containers and servers of
one's own have none here. Knows no price.
"""

import math

from fsdl_deploy.managed.month import Month
from fsdl_deploy.managed.tariffs import Tariff

MEGABYTE = 1024 * 1024  # bytes, as Lambda counts its limits


def in_steps(memory: float, tariff: Tariff) -> float:
    """MB of a serverless endpoint for so much memory: the next of its steps."""
    step = tariff.price("endpoint_serverless_memory_step", "MB")
    return math.ceil(memory / step) * step


def of_a_function(month: Month, tariff: Tariff) -> str:
    """Why Lambda cannot take it, as words that follow its name; "" where it can. A start is not counted."""
    seconds = month.billed(month.memory, tariff.known)
    return _memory(month.memory, month, "function_most_memory", tariff) or _call(
        seconds, month, "function_most_seconds", "function_payload", tariff
    )


def of_a_serverless_endpoint(month: Month, tariff: Tariff) -> str:
    """The same of SageMaker's serverless endpoint, whose memory comes in steps."""
    memory = in_steps(month.memory, tariff)
    seconds = month.billed(memory, tariff.known)
    return _memory(memory, month, "endpoint_serverless_most_memory", tariff) or _call(
        seconds, month, "endpoint_serverless_most_seconds", "endpoint_serverless_payload", tariff
    )


def of_an_endpoint(month: Month, tariff: Tariff, gpu: bool = False) -> str:
    """The same of SageMaker's endpoint on instances; ``gpu``: one reads, what it cannot do is done beside."""
    seconds = month.around / month.speed + 1 / month.gpu_rate if gpu else month.seconds / month.speed
    return _call(seconds, month, "endpoint_most_seconds", "endpoint_payload", tariff)


def _memory(needed: float, month: Month, name: str, tariff: Tariff) -> str:
    most = tariff.price(name, "MB")
    return f"has no {month.memory:g} MB of memory, but {most:g} at most" if needed > most else ""


def _call(seconds: float, month: Month, time: str, body: str, tariff: Tariff) -> str:
    most = tariff.price(time, "s")
    if seconds > most:
        return f"ends a call after {most:g} s, and this one takes {seconds:,.1f}"
    most = tariff.price(body, "MB")
    for what, size in (("request", month.bytes_in), ("answer", month.bytes_out)):
        if size > most * MEGABYTE:
            return f"takes {most:g} MB in a body at most, and the {what} has {size / MEGABYTE:,.2f}"
    return ""
