"""Looks at this machine and says in one line each what is well, what to know, and what to mend.

Standard library only and no heavy import, so that it works where the environment is broken. Knows how to
find out (``looks``), not how to repair: every line that is not ``ok`` ends in what to do.
"""

import argparse
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

from fsdl_course.setup.looks import course, hardware, network, programs
from fsdl_course.setup.looks.finding import AGAIN, Finding

LOOKS: tuple[Callable[[], Iterator[Finding]], ...] = (
    course.look_at_python,
    hardware.look_at_cores,
    hardware.look_at_memory,
    hardware.look_at_disk,
    course.look_at_packages,
    network.look_at_ports,
    network.look_at_proxies,
    programs.look_at_engine,
    programs.look_at_java,
    programs.look_at_sandbox,
    hardware.look_at_gpu,
    programs.look_at_browser,
    course.look_at_models,
    course.look_at_stations,
)
# What the core needs: of the others a student need not know when the set-up ends.
ESSENTIAL = (
    course.look_at_python,
    hardware.look_at_memory,
    hardware.look_at_disk,
    course.look_at_packages,
    network.look_at_ports,
    network.look_at_proxies,
    course.look_at_models,
)
LEVELS = ("problem", "note", "ok")  # in the order of the report


def examine(looks=LOOKS) -> list[Finding]:
    """Every finding: problems, then notes, then what is well, each in the order of the looks.

    The looks run at the same time; one that breaks is a problem too.
    """

    def findings_of(look: Callable[[], Iterator[Finding]]) -> list[Finding]:
        subject = look.__name__.removeprefix("look_at_")
        try:
            return list(look())
        except Exception as error:  # a broken machine must not silence the other looks
            return [Finding("problem", subject, f"cannot be looked at: {error}", AGAIN)]

    with ThreadPoolExecutor(len(looks)) as threads:
        results = [finding for findings in threads.map(findings_of, looks) for finding in findings]
    return sorted(results, key=lambda finding: LEVELS.index(finding.level))


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--brief", action="store_true", help="only what the lessons need, and only what is not well"
    )


def main(args: argparse.Namespace | None = None) -> int:
    """Print the report; 1 if a problem stops the course."""
    brief = args is not None and args.brief
    findings = [f for f in examine(ESSENTIAL) if f.level != "ok"] if brief else examine()
    if brief and not findings:
        print("All is well with this machine; `fsdl-course doctor` says more.")
        return 0
    print("\n".join(map(str, findings)))
    problems = sum(finding.level == "problem" for finding in findings)
    if problems:
        print(f"{problems} problem{'s' * (problems > 1)} to mend first.")
    return int(problems > 0)


if __name__ == "__main__":
    sys.exit(main())
