"""The report as one HTML page without scripts, which needs no network.

matplotlib draws the charts as SVG. It does not support CSS, so each role has its own colour while
it draws, and that colour is replaced by a variable of the page. So the charts follow light and dark
mode.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Any, Final

import matplotlib as mpl
from jinja2 import Environment, StrictUndefined
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from cdk_emr_eks.simulation.observe.timeline import Sample
from cdk_emr_eks.simulation.report.findings import findings
from cdk_emr_eks.simulation.report.results import Results

# Rows of the table of jobs.
_MAX_JOBS: Final = 500

# Number of colours that the page has for series: ``--series-0`` and so on.
SERIES: Final = 8

_INK, _FAINT, _ALERT = "#0a0b0c", "#0b0c0d", "#0c0d0e"
_HUES: Final = tuple(f"#1{number}1a1b" for number in range(SERIES))
_VARIABLES: Final = {
    _INK: "var(--ink)",
    _FAINT: "var(--faint)",
    _ALERT: "var(--alert)",
    **{hue: f"var(--series-{number})" for number, hue in enumerate(_HUES)},
}
# matplotlib types the keys as a long list of literals.
_STYLE: Final[dict[Any, object]] = {
    "svg.fonttype": "none",
    "font.family": "sans-serif",
    "font.size": 9.0,
    "text.color": _INK,
    "axes.labelcolor": _INK,
    "axes.edgecolor": _FAINT,
    "axes.facecolor": "none",
    "axes.axisbelow": True,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.grid.axis": "y",
    "grid.color": _FAINT,
    "grid.linewidth": 0.5,
    "xtick.color": _INK,
    "ytick.color": _INK,
    "legend.frameon": False,
    "legend.fontsize": 8.0,
    "figure.facecolor": "none",
    "hatch.linewidth": 1.0,
}
_SIZE: Final = (7.0, 2.6)
_SPOT: Final = "spot"
_BINS: Final = 24

Draw = Callable[[Axes, Results], None]


def page(results: Results, failures: tuple[str, ...] = ()) -> str:
    """Return the page as HTML.

    Args:
        results: Results of the simulation.
        failures: Failed gates.
    """
    text = resources.files("cdk_emr_eks.simulation.report").joinpath("page.html.j2")
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    drawn = [(each.title, each.caption, Markup(each.svg)) for each in charts(results)]
    return environment.from_string(text.read_text(encoding="utf-8")).render(
        results=results,
        findings=findings(results),
        failures=failures,
        charts=drawn,
        jobs=results.jobs[:_MAX_JOBS],
        left_out=max(0, len(results.jobs) - _MAX_JOBS),
    )


# ---- charts


@dataclass(frozen=True, kw_only=True, slots=True)
class Chart:
    """A chart.

    Args:
        title: Title.
        caption: How to read it.
        svg: The chart, as an element of the page.
    """

    title: str
    caption: str
    svg: str


def charts(results: Results) -> tuple[Chart, ...]:
    """Draw all charts; none if there are too few samples."""
    samples = results.samples
    if len(samples) < 2:
        return ()
    drawn = [
        _chart(
            results,
            "Nodes by zone and capacity type",
            "Each colour is a zone; the hatched part is spot.",
            _nodes,
        ),
        _chart(results, "Pending pods", "Pods of jobs that wait for a node.", _pending),
        _chart(
            results,
            "Executors and jobs",
            "Running executors, and jobs that have not ended.",
            _running,
        ),
        _chart(results, "Hourly cost", "US dollars for all instances, from their launch.", _cost),
        _chart(
            results,
            "Packing",
            "Cores that executors request, as a share of their nodes' allocatable cores.",
            _packing,
        ),
        _chart(
            results,
            "Time to start",
            "From submission to all executors running, over the jobs.",
            _starts,
            over_time=False,
        ),
        _chart(results, "Jobs by zone", "Zones of the drivers.", _zones, over_time=False),
    ]
    return tuple(drawn)


def _chart(
    results: Results,
    title: str,
    caption: str,
    draw: Draw,
    *,
    over_time: bool = True,
) -> Chart:
    with mpl.rc_context({**_STYLE, "svg.hashsalt": title}):
        figure = Figure(figsize=_SIZE, layout="constrained")
        axes = figure.add_subplot()
        draw(axes, results)
        if over_time:
            axes.set_xlim(0, max(results.samples[-1].at, 1))
            axes.set_xlabel("seconds")
            for at, _ in results.faults:
                axes.axvline(at, color=_ALERT, linewidth=1, linestyle=(0, (4, 2)))
        axes.set_ylim(bottom=0)
        if axes.get_legend_handles_labels()[0]:
            figure.legend(loc="outside right upper")
        return Chart(title=title, caption=caption, svg=_svg(figure, title))


def _svg(figure: Figure, title: str) -> str:
    buffer = io.StringIO()
    figure.savefig(buffer, format="svg", metadata={"Date": None}, transparent=True)
    svg = buffer.getvalue()
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    # The page sets the width, and the viewBox keeps the proportions.
    svg = re.sub(r'(<svg[^>]*?) width="[^"]*"', r"\1", svg, count=1)
    svg = re.sub(r'(<svg[^>]*?) height="[^"]*"', r"\1", svg, count=1)
    svg = svg.replace("<svg", f'<svg role="img" aria-label="{title}"', 1)
    for colour, variable in _VARIABLES.items():
        svg = svg.replace(colour, variable)
    return svg


def _times(samples: Sequence[Sample]) -> list[float]:
    return [sample.at for sample in samples]


def _nodes(axes: Axes, results: Results) -> None:
    samples = results.samples
    keys = sorted({key for sample in samples for key in sample.nodes})
    zones = sorted({zone for zone, _ in keys})
    stacks = axes.stackplot(
        _times(samples),
        *[[sample.nodes.get(key, 0) for sample in samples] for key in keys],
        colors=[_HUES[zones.index(zone) % SERIES] for zone, _ in keys],
        labels=[f"{zone} {kind}" for zone, kind in keys],
        step="post",
        linewidth=0,
    )
    for (_, kind), stack in zip(keys, stacks, strict=True):
        if kind == _SPOT:
            stack.set_hatch("////")
            stack.set_alpha(0.55)


def _pending(axes: Axes, results: Results) -> None:
    samples = results.samples
    parts = sorted({part for sample in samples for part in sample.pending})
    _lines(
        axes, samples, {part: [sample.pending.get(part, 0) for sample in samples] for part in parts}
    )


def _running(axes: Axes, results: Results) -> None:
    samples = results.samples
    lines = {
        "executors": [sample.executors for sample in samples],
        "jobs": [sample.jobs for sample in samples],
    }
    _lines(axes, samples, lines)


def _cost(axes: Axes, results: Results) -> None:
    times = _times(results.samples)
    hourly = [sample.cost_per_hour for sample in results.samples]
    axes.fill_between(times, hourly, step="post", color=_HUES[0], alpha=0.3, linewidth=0)
    axes.step(times, hourly, where="post", color=_HUES[0], linewidth=1.5)
    axes.set_ylabel("US dollars")


def _packing(axes: Axes, results: Results) -> None:
    samples = results.samples
    workloads = sorted({name for sample in samples for name in sample.allocatable})
    lines = {
        name: [
            100 * sample.requested.get(name, 0.0) / sample.allocatable[name]
            if sample.allocatable.get(name)
            else float("nan")
            for sample in samples
        ]
        for name in workloads
    }
    _lines(axes, samples, lines)
    axes.set_ylabel("%")
    axes.set_ylim(0, 105)


def _lines(axes: Axes, samples: Sequence[Sample], lines: Mapping[str, Sequence[float]]) -> None:
    for number, (name, values) in enumerate(lines.items()):
        colour = _HUES[number % SERIES]
        axes.step(_times(samples), values, where="post", label=name, color=colour, linewidth=1.5)


def _starts(axes: Axes, results: Results) -> None:
    starts = [job.start_seconds for job in results.jobs if job.start_seconds is not None]
    if starts:
        axes.hist(starts, bins=min(_BINS, max(5, len(starts))), color=_HUES[0], rwidth=0.92)
    axes.set_xlabel("seconds")
    _whole_jobs(axes)


def _zones(axes: Axes, results: Results) -> None:
    counts = results.driver_zones
    bars = axes.bar(
        list(counts), list(counts.values()), color=[_HUES[n % SERIES] for n in range(len(counts))]
    )
    axes.bar_label(bars, padding=2)
    _whole_jobs(axes)


def _whole_jobs(axes: Axes) -> None:
    axes.set_ylabel("jobs")
    axes.yaxis.set_major_locator(MaxNLocator(integer=True))
