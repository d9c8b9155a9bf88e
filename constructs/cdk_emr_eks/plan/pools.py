"""Read node pools, and the instance types that each can choose from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from cdk_emr_eks import labels
from cdk_emr_eks.assembly.objects import Applied, ClusterObject
from cdk_emr_eks.assembly.paths import mapping, sequence, text
from cdk_emr_eks.assembly.stack import Message
from cdk_emr_eks.model.instances.instances import FAMILIES, Instances, InstanceType
from cdk_emr_eks.model.workloads.rules import SPOT_TYPES
from cdk_emr_eks.plan.model import PoolPlan

# Requirements that do not exclude an instance type of the families and sizes.
_NEUTRAL: Final = frozenset(
    {
        labels.ZONE,
        labels.CAPACITY_TYPE,
        labels.OPERATING_SYSTEM,
        labels.WORKLOAD,
        labels.ROLE,
    }
)
_UNDERSTOOD: Final = _NEUTRAL | {
    labels.INSTANCE_FAMILY,
    labels.INSTANCE_SIZE,
    labels.ARCHITECTURE,
    labels.INSTANCE_LOCAL_NVME,
}


def pool_plans(applied: Applied) -> tuple[PoolPlan, ...]:
    """Read every NodePool of the assembly that can have nodes."""
    return tuple(_pool(item) for item in applied.of_kind("NodePool") if has_nodes(item.spec))


def has_nodes(spec: Mapping[str, object]) -> bool:
    """Return whether a NodePool may have nodes. One with limit 0 only lists zones for Karpenter."""
    return text(spec, "limits", "nodes") != "0"


def pool_messages(pools: tuple[PoolPlan, ...]) -> Iterator[Message]:
    """Yield a warning for each spot pool with too few instance types."""
    for pool in pools:
        count = pool.instance_types
        spot = labels.CapacityType.SPOT in pool.capacity_types
        if spot and count is not None and count < SPOT_TYPES:
            problem = f"spot pool with {count} instance types; {SPOT_TYPES} or more are advised"
            yield Message(level="warning", where=f"NodePool {pool.name}", text=problem)


def chosen_families(pools: tuple[PoolPlan, ...]) -> tuple[str, ...]:
    """Return the instance families that pools choose from; none if a pool may choose any."""
    if not all(pool.families for pool in pools):
        return ()
    return tuple(sorted({family for pool in pools for family in pool.families}))


def instance_types(pool: PoolPlan) -> tuple[InstanceType, ...]:
    """Return the instance types of a pool, small to large; none if they are not known."""
    if pool.instance_types is None:
        return ()
    known = {size for name in pool.families for size in FAMILIES[name].sizes}
    sizes = tuple(size for size in pool.sizes if size in known)
    families = tuple(f for f in pool.families if set(FAMILIES[f].sizes) & set(sizes))
    if not (sizes and families):
        return ()
    types = Instances(families=families, sizes=sizes).types()
    return tuple(t for t in types if not pool.architectures or t.architecture in pool.architectures)


def _pool(item: ClusterObject) -> PoolPlan:
    node_labels = mapping(item.spec, "template", "metadata", "labels")
    needs = _requirements(item.spec)
    families = _allowed(needs, labels.INSTANCE_FAMILY)
    weight = item.spec.get("weight")
    return PoolPlan(
        stack=item.stack,
        cluster=item.cluster,
        name=item.name,
        workload=text(node_labels, labels.WORKLOAD),
        role=text(node_labels, labels.ROLE),
        zones=_allowed(needs, labels.ZONE),
        capacity_types=_allowed(needs, labels.CAPACITY_TYPE),
        architectures=_allowed(needs, labels.ARCHITECTURE),
        families=families,
        sizes=_allowed(needs, labels.INSTANCE_SIZE),
        instance_types=_count(needs),
        limits={key: str(value) for key, value in mapping(item.spec, "limits").items()},
        weight=weight if isinstance(weight, int) else 0,
    )


def _requirements(spec: Mapping[str, object]) -> list[Mapping[str, object]]:
    return [mapping(item) for item in sequence(spec, "template", "spec", "requirements")]


def _allowed(needs: list[Mapping[str, object]], key: str) -> tuple[str, ...]:
    for need in needs:
        if need.get("key") == key and need.get("operator") == "In":
            return tuple(str(value) for value in sequence(need, "values"))
    return ()


def _count(needs: list[Mapping[str, object]]) -> int | None:
    keys = [str(need.get("key")) for need in needs]
    families = _allowed(needs, labels.INSTANCE_FAMILY)
    sizes = _allowed(needs, labels.INSTANCE_SIZE)
    plain = set(keys) <= _UNDERSTOOD and len(keys) == len(set(keys))
    if not (plain and families and sizes and set(families) <= set(FAMILIES)):
        return None
    architectures = _allowed(needs, labels.ARCHITECTURE)
    nvme = labels.INSTANCE_LOCAL_NVME in keys
    return sum(
        size in FAMILIES[name].sizes
        for name in set(families)
        for size in set(sizes)
        if (not architectures or FAMILIES[name].architecture in architectures)
        and (FAMILIES[name].local_nvme or not nvme)
    )
