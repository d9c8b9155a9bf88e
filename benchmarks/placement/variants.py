"""What is compared: each variant changes the deployed platform in one respect, or replaces it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass, replace
from typing import Any, Final

from kubernetes import client

from benchmarks.placement.peers import peer_blueprint, pool_manifests
from cdk_emr_eks import labels
from cdk_emr_eks.simulation.control_plane.plane import Plane
from cdk_emr_eks.simulation.jobs.blueprint import Blueprint
from cdk_emr_eks.simulation.scenario_run import SimulationEnvironment

_POOLS: Final = ("karpenter.sh", "v1", "nodepools")
_PEERS_WAIT: Final = 300
_SCHEDULER: Final = "kube-scheduler"
_PREFERRED: Final = "preferredDuringSchedulingIgnoredDuringExecution"

# Changes an environment for a scenario of some speed.
Change = Callable[[SimulationEnvironment, float], SimulationEnvironment]


@dataclass(frozen=True, kw_only=True, slots=True)
class Variant:
    """One column of the table.

    Args:
        what: In words.
        per_zone: Whether our platform has its pools once for each zone.
        change: What is changed once it is deployed.
    """

    what: str
    change: Change
    per_zone: bool = True


def _ours(stage: SimulationEnvironment, speed: float) -> SimulationEnvironment:
    """Let nodes go as early as the scenario is fast: Karpenter's clock is the wall's."""
    for pool in _pools(stage.plane):
        after = pool["spec"]["disruption"]["consolidateAfter"]
        _patch_pool(stage.plane, pool, consolidateAfter=_faster(_seconds(after), speed))
    return stage


def _underutilized(stage: SimulationEnvironment, speed: float) -> SimulationEnvironment:
    """Let Karpenter move pods to fewer or cheaper nodes."""
    for pool in _pools(stage.plane):
        _patch_pool(stage.plane, pool, consolidationPolicy="WhenEmptyOrUnderutilized")
    return _ours(stage, speed)


def _most_allocated(stage: SimulationEnvironment, speed: float) -> SimulationEnvironment:
    """Let the scheduler fill the fullest node that fits instead of the emptiest."""
    plane = stage.plane
    fullest = {
        "type": "MostAllocated",
        "resources": [{"name": name, "weight": 1} for name in ("cpu", "memory")],
    }
    fit = {"name": "NodeResourcesFit", "args": {"scoringStrategy": fullest}}
    config = {
        "apiVersion": "kubescheduler.config.k8s.io/v1",
        "kind": "KubeSchedulerConfiguration",
        "leaderElection": {"leaderElect": False},
        "clientConnection": {"kubeconfig": str(plane.kubeconfig), "qps": 300, "burst": 600},
        "profiles": [{"schedulerName": "default-scheduler", "pluginConfig": [fit]}],
    }
    path = plane.directory / "scheduler.json"
    path.write_text(json.dumps(config), encoding="utf-8")
    plane.kill(_SCHEDULER)
    plane.spawn(_SCHEDULER, plane.binaries.kube_scheduler, (f"--config={path}", "--secure-port=0"))
    return _ours(stage, speed)


def _emptiest(stage: SimulationEnvironment, speed: float) -> SimulationEnvironment:
    """Leave executors to the scheduler, which takes the emptiest node."""

    def changed(blueprint: Blueprint) -> Blueprint:
        template: Any = deepcopy(blueprint.executor_template)
        del template["spec"]["affinity"]["podAffinity"][_PREFERRED]
        return replace(blueprint, executor_template=template)

    return _ours(replace(stage, blueprints=[changed(each) for each in stage.blueprints]), speed)


def _peers(policy: str) -> Change:
    """Return the change that puts pools, templates and job configurations of a peer in place."""

    def change(stage: SimulationEnvironment, speed: float) -> SimulationEnvironment:
        # Theirs choose from families that ours do not name.
        stage.aws.offer_families(())
        own = _pools(stage.plane)
        classes = {_workload(pool): _node_class(pool) for pool in own}
        classes[""] = classes["shared"]
        zones = sorted({zone for pool in own for zone in _zones(pool)})
        with stage.plane.client() as api:
            objects: Any = client.CustomObjectsApi(api)
            for pool in own:
                objects.delete_cluster_custom_object(*_POOLS, pool["metadata"]["name"])
            for pool in pool_manifests(zones, classes, policy, _faster(_PEERS_WAIT, speed)):
                objects.create_cluster_custom_object(*_POOLS, pool)
            # They have no rules of admission, and ours would refuse their pods.
            admission: Any = client.AdmissionregistrationV1Api(api)
            admission.delete_collection_validating_admission_policy_binding()
            admission.delete_collection_mutating_admission_policy_binding()
        kinds = [each for each in stage.blueprints if each.workload in ("critical", "shared")]
        return replace(stage, blueprints=[peer_blueprint(each) for each in kinds])

    return change


VARIANTS: Final[Mapping[str, Variant]] = {
    "ours": Variant(what="our defaults", change=_ours),
    "one-pool": Variant(what="ours, one pool over all zones", change=_ours, per_zone=False),
    "underutilized": Variant(what="ours, WhenEmptyOrUnderutilized", change=_underutilized),
    "most-allocated": Variant(what="ours, scheduler MostAllocated", change=_most_allocated),
    "emptiest": Variant(what="ours, executors on the emptiest node", change=_emptiest),
    "ara": Variant(what="ARA's pools and templates", change=_peers("WhenEmpty")),
    "dsf": Variant(what="DSF's pools and templates", change=_peers("WhenEmptyOrUnderutilized")),
}


def _pools(plane: Plane) -> list[dict[str, Any]]:
    with plane.client() as api:
        objects: Any = client.CustomObjectsApi(api)
        found: list[dict[str, Any]] = objects.list_cluster_custom_object(*_POOLS)["items"]
        return found


def _patch_pool(plane: Plane, pool: Mapping[str, Any], **disruption: str) -> None:
    with plane.client() as api:
        objects: Any = client.CustomObjectsApi(api)
        objects.patch_cluster_custom_object(
            *_POOLS, pool["metadata"]["name"], {"spec": {"disruption": disruption}}
        )


def _workload(pool: Mapping[str, Any]) -> str:
    """Return the workload of a pool; the pool without nodes has no workload."""
    metadata = pool["spec"]["template"].get("metadata", {})
    return str(metadata.get("labels", {}).get(labels.WORKLOAD, ""))


def _node_class(pool: Mapping[str, Any]) -> str:
    return str(pool["spec"]["template"]["spec"]["nodeClassRef"]["name"])


def _zones(pool: Mapping[str, Any]) -> list[str]:
    requirements = pool["spec"]["template"]["spec"]["requirements"]
    return next(list(each["values"]) for each in requirements if each["key"] == labels.ZONE)


def _seconds(duration: str) -> float:
    """Return the seconds of a Kubernetes duration of one unit."""
    return float(duration[:-1]) * {"s": 1, "m": 60, "h": 3_600}[duration[-1]]


def _faster(seconds: float, speed: float) -> str:
    return f"{max(1, round(seconds / speed))}s"
