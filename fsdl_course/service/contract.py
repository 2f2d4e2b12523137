"""What the service says about itself, for a reader: its routes out of its contract, its metrics by name"""

from collections.abc import Mapping

from fsdl_deploy.measuring.table import Table


def routes(contract: Mapping) -> Table:
    """A row for each method of each path of an OpenAPI document, in its order."""
    rows = [
        [method.upper(), path.rpartition("/")[2], about["description"]]
        for path, methods in contract["paths"].items()
        for method, about in methods.items()
    ]
    return Table(["method", "end of the path", "what it does"], *rows)


def metric_families(page: str) -> set[str]:
    """The names of the metrics on a page in Prometheus' text format, each once."""
    return {line.split()[2] for line in page.splitlines() if line.startswith("# TYPE")}


def metric(page: str, name: str) -> float:
    """A metric's value on such a page: the sum over its labels. Raises KeyError where the page lacks it."""
    from prometheus_client.parser import text_string_to_metric_families

    families = text_string_to_metric_families(page)
    values = [sample.value for family in families for sample in family.samples if sample.name == name]
    if not values:
        raise KeyError(f"the page has no metric {name}")
    return sum(values)
