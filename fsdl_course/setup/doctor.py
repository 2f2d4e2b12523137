"""Looks at this machine and says in one line each what is well, what to know, and what to mend.

Standard library only and no heavy import, so that it works where the environment is broken. Knows how to
find out (``looks``), not how to repair: every line that is not ``ok`` ends in what to do.
"""

import argparse
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

from fsdl_course.setup.looks import course, hardware, programs
from fsdl_course.setup.looks.finding import AGAIN, Finding

LOOKS: tuple[Callable[[], Iterator[Finding]], ...] = (
    course.look_at_python,
    hardware.look_at_cores,
    hardware.look_at_memory,
    hardware.look_at_disk,
    course.look_at_packages,
    hardware.look_at_ports,
    programs.look_at_engine,
    programs.look_at_java,
    programs.look_at_sandbox,
    hardware.look_at_gpu,
    programs.look_at_browser,
    course.look_at_models,
    course.look_at_stations,
)


def examine(looks=LOOKS) -> list[Finding]:
    """Every finding, in the order of the looks, which run at the same time; a look that breaks is one too."""

    def findings_of(look: Callable[[], Iterator[Finding]]) -> list[Finding]:
        subject = look.__name__.removeprefix("look_at_")
        try:
            return list(look())
        except Exception as error:  # a broken machine must not silence the other looks
            return [Finding("problem", subject, f"cannot be looked at: {error}", AGAIN)]

    with ThreadPoolExecutor(len(looks)) as threads:
        return [finding for findings in threads.map(findings_of, looks) for finding in findings]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """doctor takes no arguments."""


def main(args: argparse.Namespace | None = None) -> int:
    """Print the report; 1 if a problem stops the course."""
    findings = examine()
    print("\n".join(map(str, findings)))
    problems = sum(finding.level == "problem" for finding in findings)
    if problems:
        print(f"{problems} problem{'s' * (problems > 1)} to mend first.")
    return int(problems > 0)


if __name__ == "__main__":
    sys.exit(main())
