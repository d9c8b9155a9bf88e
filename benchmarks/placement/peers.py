"""Default pools and pod templates of two other libraries, as this simulation can play them.

AWS's Analytics Reference Architecture (ARA) and Data Solutions Framework (DSF) have the same pools,
each once for every zone; they differ in when an underused node goes. Translated are node labels,
taints, instance types, limits, weights, consolidation, pod templates and job configurations. Not
translated are images, disks and roles of nodes: nodes have our node classes, in both.

Source: https://github.com/aws-samples/aws-analytics-reference-architecture,
https://github.com/awslabs/data-solutions-framework-on-aws
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from cdk_emr_eks import labels
from cdk_emr_eks.labels import CapacityType, SparkRole
from cdk_emr_eks.model.pods.pod_template_rules import MAIN_CONTAINERS
from cdk_emr_eks.simulation.jobs.blueprint import Blueprint

_BELOW_XLARGE: Final = ("nano", "micro", "small", "medium", "large")
_BELOW_LARGE: Final = _BELOW_XLARGE[:-1]
_BELOW_MEDIUM: Final = _BELOW_LARGE[:-1]
_LIFECYCLE: Final = "node-lifecycle"
_ON_DEMAND: Final = str(CapacityType.ON_DEMAND)
_SPOT: Final = str(CapacityType.SPOT)


@dataclass(frozen=True, kw_only=True, slots=True)
class PeerPool:
    """A pool of theirs; ``seen_as`` is what our report counts its nodes as."""

    name: str
    seen_as: tuple[str, SparkRole]
    families: tuple[str, ...]
    too_small: tuple[str, ...]
    architecture: str
    capacity: str
    cpu: int
    memory_gib: int
    weight: int
    node_labels: Mapping[str, str]
    taints: Mapping[str, str]


# Without those for notebooks: the comparison runs batch jobs.
POOLS: Final = (
    PeerPool(
        name="tooling",
        seen_as=("tooling", SparkRole.DRIVER),
        families=("t3", "t3a"),
        too_small=_BELOW_MEDIUM,
        architecture="amd64",
        capacity=_ON_DEMAND,
        cpu=100,
        memory_gib=100,
        weight=50,
        node_labels={"role": "tooling"},
        taints={},
    ),
    PeerPool(
        name="critical",
        seen_as=("critical", SparkRole.EXECUTOR),
        families=("m6gd",),
        too_small=_BELOW_XLARGE,
        architecture="arm64",
        capacity=_ON_DEMAND,
        cpu=3_200,
        memory_gib=12_800,
        weight=10,
        node_labels={"role": "critical", _LIFECYCLE: _ON_DEMAND},
        taints={"role": "critical"},
    ),
    PeerPool(
        name="shared-driver",
        seen_as=("shared", SparkRole.DRIVER),
        families=("m6g",),
        too_small=_BELOW_LARGE,
        architecture="arm64",
        capacity=_ON_DEMAND,
        cpu=40,
        memory_gib=160,
        weight=10,
        node_labels={"role": "shared", "spark-role": "driver", _LIFECYCLE: _ON_DEMAND},
        taints={},
    ),
    PeerPool(
        name="shared-executor",
        seen_as=("shared", SparkRole.EXECUTOR),
        families=("m6g", "m6gd"),
        too_small=_BELOW_XLARGE,
        architecture="arm64",
        capacity=_SPOT,
        cpu=3_200,
        memory_gib=12_800,
        weight=10,
        node_labels={"role": "shared", "spark-role": "executor", _LIFECYCLE: _SPOT},
        taints={_LIFECYCLE: _SPOT},
    ),
)

_SPARK: Final = {
    "critical": {
        "spark.kubernetes.executor.request.cores": "7.7",
        "spark.executor.memory": "20800m",
        "spark.kubernetes.driver.request.cores": "2.5",
        "spark.driver.memory": "6800m",
    },
    "shared": {
        "spark.kubernetes.executor.request.cores": "3.8",
        "spark.executor.memory": "10400m",
        "spark.kubernetes.driver.request.cores": "1.7",
        "spark.driver.memory": "4900m",
    },
}
_ALLOCATION: Final = {
    "spark.dynamicAllocation.enabled": "true",
    "spark.dynamicAllocation.shuffleTracking.enabled": "true",
    "spark.dynamicAllocation.shuffleTracking.timeout": "300s",
    "spark.dynamicAllocation.minExecutors": "8",
    "spark.dynamicAllocation.maxExecutors": "40",
    "spark.kubernetes.allocation.batch.size": "8",
}


def pool_manifests(
    zones: Sequence[str], node_classes: Mapping[str, str], policy: str, after: str
) -> Iterator[dict[str, object]]:
    """Yield their NodePools, each pool once for every zone.

    Args:
        zones: Names of the zones.
        node_classes: EC2NodeClass by workload, with one for "" that serves all others.
        policy: Karpenter's ``consolidationPolicy``.
        after: Its ``consolidateAfter``.
    """
    for pool in POOLS:
        for number, zone in enumerate(zones, start=1):
            workload, role = pool.seen_as
            node_class = node_classes.get(workload, node_classes[""])
            yield {
                "apiVersion": "karpenter.sh/v1",
                "kind": "NodePool",
                "metadata": {"name": f"{pool.name}-{number}"},
                "spec": {
                    "weight": pool.weight,
                    "limits": {"cpu": str(pool.cpu), "memory": f"{pool.memory_gib}Gi"},
                    "disruption": {"consolidationPolicy": policy, "consolidateAfter": after},
                    "template": {
                        "metadata": {
                            "labels": {
                                **pool.node_labels,
                                # Read by our report, and by no pod of theirs.
                                labels.WORKLOAD: workload,
                                labels.ROLE: str(role),
                            }
                        },
                        "spec": {
                            "nodeClassRef": {
                                "group": "karpenter.k8s.aws",
                                "kind": "EC2NodeClass",
                                "name": node_class,
                            },
                            "taints": [
                                {"key": key, "value": value, "effect": "NoSchedule"}
                                for key, value in pool.taints.items()
                            ],
                            "expireAfter": "720h",
                            "requirements": _requirements(pool, zone),
                        },
                    },
                },
            }


def peer_blueprint(blueprint: Blueprint) -> Blueprint:
    """Return a tenant's jobs with their pod templates and configuration."""
    workload = blueprint.workload
    shared = workload == "shared"
    # Whose pods are whose: labels that name the tenant, which place nothing.
    own = {key: value for key, value in blueprint.spark.items() if ".label." in key}
    return replace(
        blueprint,
        spark={**own, **_ALLOCATION, **_SPARK[workload]},
        # They place no submitter: it goes wherever a node takes it.
        submitter={},
        driver_template=_template(
            workload,
            SparkRole.DRIVER,
            selector={
                "role": workload,
                _LIFECYCLE: _ON_DEMAND,
                **({"spark-role": "driver"} if shared else {}),
            },
            tolerated={"role": workload},
        ),
        executor_template=_template(
            workload,
            SparkRole.EXECUTOR,
            selector={
                "role": workload,
                _LIFECYCLE: _SPOT if shared else _ON_DEMAND,
                **({"spark-role": "executor"} if shared else {}),
            },
            tolerated={"role": workload, **({_LIFECYCLE: _SPOT} if shared else {})},
        ),
    )


def _requirements(pool: PeerPool, zone: str) -> list[dict[str, object]]:
    wanted: tuple[tuple[str, str, tuple[str, ...]], ...] = (
        (labels.ZONE, "In", (zone,)),
        (labels.ARCHITECTURE, "In", (pool.architecture,)),
        (labels.CAPACITY_TYPE, "In", (pool.capacity,)),
        (labels.INSTANCE_FAMILY, "In", pool.families),
        (labels.INSTANCE_SIZE, "NotIn", pool.too_small),
    )
    return [
        {"key": key, "operator": operator, "values": list(values)}
        for key, operator, values in wanted
    ]


def _template(
    workload: str, role: SparkRole, *, selector: Mapping[str, str], tolerated: Mapping[str, str]
) -> dict[str, object]:
    return {
        # Read by our report, and by nothing that places pods.
        "metadata": {"labels": {labels.WORKLOAD: workload}},
        "spec": {
            "nodeSelector": dict(selector),
            "tolerations": [
                {"key": key, "operator": "Equal", "value": value, "effect": "NoSchedule"}
                for key, value in tolerated.items()
            ],
            # Spark gives its container this name where a template has none.
            "containers": [{"name": MAIN_CONTAINERS[role]}],
        },
    }
