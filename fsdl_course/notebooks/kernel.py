"""What the course's kernels do with a cell tagged ``station:NAME``: an extension of IPython.

JupyterLab sends a cell's tags with its code. Where the station is not built, it is built before the cell
runs; where it cannot be, the cell is skipped with one sentence. Other programs send no tags: there the cell
runs, and the call in it that needs the station says the same sentence as an error.
"""

AGAIN, RESTART = "run this cell again", "restart the kernel and run all cells again"


def load_ipython_extension(shell) -> None:
    """Called by IPython: ``ipython_config.json`` in the environment of the course names this module."""
    reasons: dict[str, str | None] = {}

    def transform(lines: list[str]) -> list[str]:
        parent = getattr(shell, "parent_header", None) or {}
        tags = parent.get("metadata", {}).get("tags", ())
        if not tags:
            return lines
        from fsdl_course.notebooks.needs import named, skipped  # only now: each kernel would start later

        for name in named(tags):
            if name not in reasons:
                reasons[name] = lack(name)
            if reasons[name]:
                return [f"print({skipped(reasons[name])!r})\n"]
        return lines

    shell.input_transformers_cleanup.append(transform)


def lack(name: str) -> str | None:
    """Build the station if that is left to do; a sentence where it cannot be had, else None."""
    from fsdl_course.setup.failures import SetupError
    from fsdl_course.setup.stations import ensure
    from fsdl_deploy.running.stations import StationError

    try:
        ensure(name)
    except SetupError as error:
        return f"{error.in_a_cell().replace(AGAIN, RESTART)} The cells that do not need it run."
    except StationError as error:
        return str(error)
    return None
