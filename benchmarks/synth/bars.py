"""The figures to hold, and whether they are held."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from statistics import linear_regression, median
from typing import Final

from benchmarks.synth.assembly import Assembly
from benchmarks.synth.run import Measured

RATIO_TO_ARA: Final = 0.30
RATIO_TO_BARE: Final = 1.3
KUBERNETES_RESOURCES: Final = 8
LAMBDA_FUNCTIONS: Final = 4
IAM_ROLES: Final = 12
TENANT_RESOURCES: Final = {"pod-identity": 9, "irsa": 6}
STACK_RESOURCES: Final = 450
TEMPLATE_KB: Final = 900
# Linear means: the last tenants cost at most this many times what those before them cost each.
# A quadratic part would show here first: from 100 to 1,000 tenants it would cost ten times as much.
GROWTH: Final = 1.25


@dataclass(frozen=True, kw_only=True, slots=True)
class Bar:
    """One figure against its limit.

    Args:
        name: What is measured.
        limit: Most that is allowed.
        figure: What was measured; None when what it needs was not run.
    """

    name: str
    limit: float
    figure: float | None

    @property
    def verdict(self) -> str:
        """Say whether the bar is held."""
        if self.figure is None:
            return "not measured"
        return "held" if self.figure <= self.limit else "not held"


@dataclass(frozen=True, kw_only=True, slots=True)
class Ratio:
    """A figure of ours over another app's, round by round."""

    pairs: tuple[float, ...]

    @property
    def middle(self) -> float:
        """The median of the rounds."""
        return median(self.pairs)


@dataclass(frozen=True, kw_only=True, slots=True)
class Growth:
    """How synthesis grows with tenants.

    Args:
        wall_per_tenant: Slope of the straight line through the medians of wall time, in seconds.
        wall_fixed: Where that line starts.
        step_cpu: User and system seconds for each further tenant between two successive sizes.
        step_resources: Resources for each further tenant between two successive sizes.
    """

    wall_per_tenant: float
    wall_fixed: float
    step_cpu: tuple[float, ...]
    step_resources: tuple[float, ...]

    @property
    def bend(self) -> float | None:
        """What one of the last tenants costs, over what one of those before them cost.

        In processor time, which other work on the machine moves far less than wall time.
        """
        if len(self.step_cpu) < 2:
            return None
        return self.step_cpu[-1] / self.step_cpu[-2]


def ratio(ours: Measured, other: Measured, *, figure: str = "wall_s") -> Ratio:
    """Divide our figures by another app's, round by round."""
    runs = zip(ours.runs, other.runs, strict=True)
    return Ratio(pairs=tuple(getattr(our, figure) / getattr(its, figure) for our, its in runs))


def growth(scale: Mapping[int, Measured]) -> Growth | None:
    """Fit the sizes that were run; None for fewer than two."""
    sizes = sorted(scale)
    if len(sizes) < 2:
        return None
    walls = [scale[size].middle("wall_s") for size in sizes]
    cpus = [scale[size].middle("cpu_s") for size in sizes]
    resources = [scale[size].counted.resources for size in sizes]
    line = linear_regression(sizes, walls)
    return Growth(
        wall_per_tenant=line.slope,
        wall_fixed=line.intercept,
        step_cpu=tuple(_steps(sizes, cpus)),
        step_resources=tuple(_steps(sizes, resources)),
    )


def _steps(sizes: list[int], figures: list[float] | list[int]) -> Iterator[float]:
    for at in range(1, len(sizes)):
        yield (figures[at] - figures[at - 1]) / (sizes[at] - sizes[at - 1])


def bars(
    apps: Mapping[str, Measured],
    scale: Mapping[int, Measured],
    irsa_per_tenant: float | None,
    notebooks: Mapping[int, Measured] | None = None,
) -> tuple[Bar, ...]:
    """Hold what was measured against the limits."""
    return (
        *_ratio_bars(apps),
        *_count_bars(apps["ours"].counted if "ours" in apps else None),
        *_scale_bars(scale, irsa_per_tenant, notebooks or {}),
    )


def _ratio_bars(apps: Mapping[str, Measured]) -> Iterator[Bar]:
    for other, limit in (("ara", RATIO_TO_ARA), ("bare", RATIO_TO_BARE)):
        measured = "ours" in apps and other in apps
        figure = ratio(apps["ours"], apps[other]).middle if measured else None
        yield Bar(name=f"wall time, ours / {other}, median of pairs", limit=limit, figure=figure)


def _count_bars(ours: Assembly | None) -> Iterator[Bar]:
    counts: tuple[tuple[str, float, float | None], ...] = (
        (
            "Kubernetes custom resources",
            KUBERNETES_RESOURCES,
            ours.kubernetes_count if ours else None,
        ),
        ("Lambda functions", LAMBDA_FUNCTIONS, ours.lambda_functions if ours else None),
        ("IAM roles", IAM_ROLES, ours.iam_roles if ours else None),
    )
    for name, limit, figure in counts:
        yield Bar(name=f"{name}, platform with one tenant", limit=limit, figure=figure)


def _scale_bars(
    scale: Mapping[int, Measured], irsa_per_tenant: float | None, notebooks: Mapping[int, Measured]
) -> Iterator[Bar]:
    grown = growth(scale)
    found = [measured.counted for measured in (*scale.values(), *notebooks.values())]
    biggest = max((assembly.largest_stack_resources for assembly in found), default=None)
    template = max((assembly.largest_template_bytes / 1000 for assembly in found), default=None)
    tenant = max(grown.step_resources) if grown else None
    figures: tuple[tuple[str, float, float | None], ...] = (
        ("resources of a further tenant, Pod Identity", TENANT_RESOURCES["pod-identity"], tenant),
        ("resources of a further tenant, IRSA", TENANT_RESOURCES["irsa"], irsa_per_tenant),
        ("resources of the biggest stack, all sizes", STACK_RESOURCES, biggest),
        ("KB of the biggest template, all sizes", TEMPLATE_KB, template),
        ("linear: CPU of a tenant, last / earlier", GROWTH, grown.bend if grown else None),
    )
    for name, limit, figure in figures:
        yield Bar(name=name, limit=limit, figure=figure)
