"""Describe the effects of a change on running jobs, nodes and stored data."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from cdk_emr_eks.assembly.paths import mapping, sequence
from cdk_emr_eks.assembly.reader import Assembly
from cdk_emr_eks.diff.change import Change
from cdk_emr_eks.diff.contents import POLICIES, Declared
from cdk_emr_eks.diff.drift import class_drift, node_class, paces, pool_drift
from cdk_emr_eks.diff.leftovers import inside, leftovers, retains
from cdk_emr_eks.labels import CapacityType
from cdk_emr_eks.plan.model import PoolPlan
from cdk_emr_eks.plan.pools import pool_plans

# Source: https://docs.aws.amazon.com/emr/latest/EMR-on-EKS-DevelopmentGuide/virtual-cluster.html
# (states), and the API's page of DeleteVirtualCluster, which names no jobs; 2026-11.
_JOBS: Final = (
    "its jobs: AWS documents only that a virtual cluster is TERMINATING until it is gone; users of "
    "EMR report that running jobs block the deletion. Wait until they end, or cancel them, first"
)
_TAKEN: Final = (
    "EMR accepts one virtual cluster for a namespace, and CloudFormation creates the new one "
    "before it deletes the old one: remove the tenant, deploy, then add it again"
)
# Source: https://kubernetes.io/docs/concepts/policy/resource-quotas/, 2026-11.
_QUOTA: Final = "running pods stay and count; the quota applies to new pods"
_QUOTA_FIELD: Final = re.compile(r"(ResourceQuota \S+?\.)?spec\.hard\b")
_MINOR: Final = re.compile(r"1\.(\d+)")


@dataclass(frozen=True, kw_only=True, slots=True)
class Deployment:
    """A deployment of one assembly over another.

    Args:
        old: The deployed assembly.
        new: The assembly to deploy.
        left: Stack, kind and name of each object that stays in the cluster although the new
            assembly does not declare it.
        pools: The old assembly's node pools, by stack and name.
        capacity: By workload and role, the capacity types of each of the new assembly's pools.
    """

    old: Assembly
    new: Assembly
    left: frozenset[tuple[str, str, str]]
    pools: Mapping[tuple[str, str], PoolPlan]
    capacity: Mapping[tuple[str, str], set[tuple[str, ...]]]

    @classmethod
    def of(cls, old: Assembly, new: Assembly) -> Deployment:
        """Return the deployment with leftovers and node pools of both assemblies."""
        capacity: dict[tuple[str, str], set[tuple[str, ...]]] = {}
        for pool in pool_plans(new.applied):
            capacity.setdefault((pool.workload, pool.role), set()).add(pool.capacity_types)
        return cls(
            old=old,
            new=new,
            left=frozenset((e.stack, e.kind, e.name) for e in leftovers(old, new)),
            pools={(pool.stack, pool.name): pool for pool in pool_plans(old.applied)},
            capacity=capacity,
        )


def effects(
    change: Change, before: Declared | None, after: Declared | None, deployment: Deployment
) -> Iterator[str]:
    """Yield the effects of one change, as sentences without a full stop.

    Args:
        change: What differs.
        before: The item in the old assembly; None for a new item.
        after: The item in the new assembly; None for a removed item.
        deployment: Both assemblies.
    """
    if before is not None and after is not None:
        yield from _changed(change, before, after, deployment.new)
    elif before is not None:
        yield from _removed(change, before, deployment)
    elif after is not None and change.refused:
        yield from _taken(after)


def _changed(change: Change, before: Declared, after: Declared, new: Assembly) -> Iterator[str]:
    if before.kind == "NodePool":
        yield from pool_drift(before.values, after.values)
    elif before.kind == "EC2NodeClass":
        yield from class_drift(before.values, after.values, new.applied.of_kind("NodePool"))
    elif before.kind == "AWS::EKS::Cluster":
        if change.replaced_by:
            yield "a new cluster; the old one is deleted with everything that runs on it"
        elif before.values.get("Version") != after.values.get("Version"):
            yield from _kubernetes(before.values, after.values, new)
    elif change.replaced_by:
        yield from _replaced(change, before, after)
    elif any(_QUOTA_FIELD.match(field.path) for field in change.fields) and (
        before.kind in ("tenant", "ResourceQuota")
    ):
        yield _QUOTA


def _taken(after: Declared) -> Iterator[str]:
    """Yield that another resource has the name of a new one, for example after a rename."""
    if after.kind == "AWS::EMRContainers::VirtualCluster":
        yield _TAKEN
    elif after.physical_name is not None:
        yield (
            f"{after.physical_name.name} exists: CloudFormation creates the new resource before it "
            "deletes the old one. Keep the logical id (the construct's id), choose another name, "
            "or remove the old resource in a deployment before"
        )


def _removed(change: Change, before: Declared, deployment: Deployment) -> Iterator[str]:
    if before.kind == "stack":
        yield from _stack(change.stack, deployment.old)
    elif before.kind in ("tenant", "Namespace"):
        yield _namespace(change.stack, before.namespace, deployment)
    elif before.kind == "NodePool":
        if (change.stack, "NodePool", change.name) in deployment.left:
            yield "stays in the cluster, and Karpenter uses it, until you delete it: see below"
        else:
            yield "Karpenter drains its nodes; a node with a driver stays until the driver ends"
        yield from _without_fallback(change, deployment)
    elif before.kind == "AWS::EMRContainers::VirtualCluster":
        yield _JOBS
    yield from _kept(before, before.values.get("DeletionPolicy"), "DeletionPolicy")


def _without_fallback(change: Change, deployment: Deployment) -> Iterator[str]:
    """Yield that a workload has only spot capacity without this pool."""
    gone = deployment.pools.get((change.stack, change.name))
    if gone is None or not gone.workload or gone.capacity_types == (CapacityType.SPOT,):
        return
    left = deployment.capacity.get((gone.workload, gone.role))
    if left == {(CapacityType.SPOT,)}:
        yield (
            f"{gone.role}s of {gone.workload} have only spot capacity: in a zone without spot "
            "capacity, they wait"
        )


def _replaced(change: Change, before: Declared, after: Declared) -> Iterator[str]:
    if before.kind == "AWS::EMRContainers::VirtualCluster":
        if change.refused:
            yield _TAKEN
            return
        yield "a new id, which job submitters must use"
        yield _JOBS
    # AWS does not document which template's policy applies, so both must say Retain.
    policies = [each.values.get("UpdateReplacePolicy") for each in (before, after)]
    policy = policies[0] if all(map(retains, policies)) else None
    yield from _kept(before, policy, "UpdateReplacePolicy")


def _kept(before: Declared, policy: object, name: str) -> Iterator[str]:
    """Yield whether CloudFormation keeps or deletes the old resource, by its policy."""
    is_log_group = before.kind == "AWS::Logs::LogGroup"
    if retains(policy):
        records = " with its records" if is_log_group else ""
        yield f"kept in the account{records} ({name}: {policy})"
        if is_log_group and name == POLICIES[0]:
            yield "a new log group of this name fails until the old one is deleted or imported"
    elif is_log_group:
        yield f"deleted with its records: {name} does not retain it"


def _namespace(stack: str, namespace: str, deployment: Deployment) -> str:
    if (stack, "Namespace", namespace) in deployment.left:
        return f"namespace {namespace} stays in the cluster: see below"
    held = inside(namespace, stack, deployment.old)
    content = f"{held}, and everything else in it, such as pods" if held else "everything in it"
    stays = any(each.name == stack for each in deployment.new.stacks)
    what = content if stays else f"its stack, and so is {content}"
    return f"namespace {namespace} is deleted with {what}"


def _stack(name: str, old: Assembly) -> Iterator[str]:
    """Yield how to delete a removed stack, and the resources that stay after its deletion."""
    (stack,) = (each for each in old.stacks if each.name == name)
    if not stack.stack_name:
        return  # CloudFormation deletes a nested stack when it updates the parent
    first = ""
    if stack.dependencies:
        first = f", before {', '.join(stack.dependencies)}, whose outputs it may use, is deployed"
    yield (
        "'cdk deploy' leaves a stack that the app no longer has: delete it with 'aws "
        f"cloudformation delete-stack --stack-name {stack.stack_name}'{first}"
    )
    resources = [mapping(each) for each in stack.bodies().values()]
    if any(each.get("Type") == "AWS::EMRContainers::VirtualCluster" for each in resources):
        yield _JOBS
    logs = [each for each in resources if each.get("Type") == "AWS::Logs::LogGroup"]
    lost = sum(not retains(each.get("DeletionPolicy")) for each in logs)
    if lost:
        yield f"deleted with their records: {lost} AWS::Logs::LogGroup"
    kinds = Counter(str(r.get("Type")) for r in resources if retains(r.get("DeletionPolicy")))
    if kinds:
        found = ", ".join(f"{count} {kind}" for kind, count in kinds.items())
        yield f"kept in the account after that (DeletionPolicy: Retain): {found}"


def _kubernetes(
    before: Mapping[str, object], after: Mapping[str, object], new: Assembly
) -> Iterator[str]:
    """Yield the effects of another Kubernetes version.

    Source: https://docs.aws.amazon.com/eks/latest/userguide/update-cluster.html and
    rollback-cluster.html there; https://karpenter.sh/docs/tasks/managing-amis/, 2026-11.
    """
    minors = [_MINOR.fullmatch(str(values.get("Version"))) for values in (before, after)]
    if minors[0] and minors[1]:
        steps = int(minors[1][1]) - int(minors[0][1])
        if steps < 0:
            yield (
                "a downgrade: EKS allows it only as a version rollback by one minor version, "
                "within 7 days of the upgrade"
            )
        elif steps > 1:
            yield f"{steps} minor versions at once: EKS upgrades one at a time, so deploy each"
        else:
            yield "in place; managed node groups must have the old version first, and follow later"
    classes = {
        each.name
        for each in new.applied.of_kind("EC2NodeClass")
        if any("alias" in mapping(term) for term in sequence(each.spec.get("amiSelectorTerms")))
    }
    yield from paces(
        "all: another image",
        (pool for pool in new.applied.of_kind("NodePool") if node_class(pool) in classes),
    )
