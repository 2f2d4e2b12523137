"""The text of a part of a target's programs, for a notebook that shows how a conversion is written"""

from fsdl_deploy.targets.catalogue import Target, TargetError


def part(target: Target, start: str, program: str = "build.py") -> str:
    """The function, class or constant of ``program`` whose first line begins with ``start``, to its end.

    Raises TargetError where no line begins so.
    """
    lines = (target.folder / program).read_text(encoding="utf-8").splitlines()
    for place, line in enumerate(lines):
        if line.startswith(start):
            rest = lines[place + 1 :]
            outside = (number for number, text in enumerate(rest) if text and text[0] not in " )]}")
            return "\n".join([line, *rest[: next(outside, len(rest))]]).rstrip()
    raise TargetError(f"no line of {program} of {target.name} begins with {start!r}")
