"""The report as one HTML page that needs nothing else: no network, no script."""

from __future__ import annotations

from importlib import resources
from typing import Final

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from cdk_emr_eks.simulation.report.charts import charts
from cdk_emr_eks.simulation.report.findings import findings
from cdk_emr_eks.simulation.results import Results

_MOST_JOBS: Final = 500


def page(results: Results, failures: tuple[str, ...] = ()) -> str:
    """Return the page as HTML.

    Args:
        results: What was found.
        failures: Gates that did not hold.
    """
    text = resources.files("cdk_emr_eks.simulation.report").joinpath("page.html.j2")
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    drawn = [(each.title, each.caption, Markup(each.svg)) for each in charts(results)]
    return environment.from_string(text.read_text(encoding="utf-8")).render(
        results=results,
        findings=findings(results),
        failures=failures,
        charts=drawn,
        jobs=results.jobs[:_MOST_JOBS],
        left_out=max(0, len(results.jobs) - _MOST_JOBS),
    )
