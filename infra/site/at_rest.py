"""What the site's Sphinx needs beside its settings: the names that Jupyter gives to headings"""


def jupyter_slug(title: str) -> str:
    """The name of a heading as JupyterLab links it: spaces become hyphens, all else stays."""
    return title.strip().replace(" ", "-")


def setup(app) -> dict:
    """Nothing to connect: Sphinx only has to find this module."""
    return {"parallel_read_safe": True, "parallel_write_safe": True}
