"""Three copies in four ways, as tables: what somebody wrote, what runs beside them, what an update does

The record is ``orchestrators.RECORD``.
"""

from collections.abc import Mapping

from fsdl_deploy.measuring.table import Table


def beside_the_copies(counted: Mapping) -> Table:
    """Lines of configuration, and the programs beside the copies with their memory, with date and machine."""
    note = f"{counted['date']}, {counted['machine']}; {counted['cores']} of a core for each copy; "
    note += f"Docker alone: {counted['engine_alone']['mebibytes']:.0f} MiB"
    rows = [[way[name] for name in ("name", "lines", "processes", "mebibytes")] for way in counted["ways"]]
    header = ["three copies as", "lines", "programs beside them", "their MiB"]
    return Table(header, *rows, formats=["", "", "", ".0f"], notes=[note])


def new_and_broken(counted: Mapping) -> Table:
    """A new version and one that does not start, under load: what was lost, how many copies were left."""
    rows = [
        [way["name"], *(way["update"][name] for name in ("seconds", "requests", "lost"))]
        + [way["broken"][name] for name in ("ended", "left", "requests", "lost")]
        for way in counted["ways"]
    ]
    new = ["a new version takes s", "requests", "lost"]
    header = ["three copies as", *new, "a broken version", "copies left", "requests then", "lost then"]
    return Table(header, *rows, formats=["", ".0f"])
