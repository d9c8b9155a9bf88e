"""What in an assembly has a version: Kubernetes, EKS add-ons, Helm charts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from cdk_emr_eks.plan.assembly import StackFile
from cdk_emr_eks.plan.model import ComponentPlan
from cdk_emr_eks.plan.objects import Applied

_UNPINNED = "not pinned"


def component_plans(stacks: Iterable[StackFile], applied: Applied) -> tuple[ComponentPlan, ...]:
    """Read clusters, add-ons and charts of all stacks."""
    found = [component for stack in stacks for component in _of_stack(stack)]
    found += [
        ComponentPlan(
            stack=chart.stack,
            kind="Helm chart",
            name=chart.name,
            version=chart.version or _UNPINNED,
        )
        for chart in applied.charts
    ]
    return tuple(found)


def _of_stack(stack: StackFile) -> Iterator[ComponentPlan]:
    for logical_id, properties in stack.resources("AWS::EKS::Cluster"):
        name = stack.intrinsics.text(properties.get("Name")) or logical_id
        version = stack.intrinsics.text(properties.get("Version")) or _UNPINNED
        yield ComponentPlan(stack=stack.name, kind="Kubernetes", name=name, version=version)
    for _, properties in stack.resources("AWS::EKS::Addon"):
        name = stack.intrinsics.text(properties.get("AddonName"))
        version = stack.intrinsics.text(properties.get("AddonVersion")) or _UNPINNED
        yield ComponentPlan(stack=stack.name, kind="EKS add-on", name=name, version=version)
