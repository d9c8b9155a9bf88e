"""Six changes that platform teams make, as they read them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from cdk_emr_eks.model.instances.instances import Instances
from cdk_emr_eks.model.workloads.catalog import DEFAULT_WORKLOADS, SHARED
from cdk_emr_eks.model.workloads.priority import priority_classes
from cdk_emr_eks.model.workloads.workload import Workload
from tests.cli import assemblies
from tests.diff.comparing import changed, printed

CRITICAL, _, NOTEBOOK = DEFAULT_WORKLOADS
CLASSES = ("emr-nvme", "emr-ebs", "emr-ebs-100g", "emr-ebs-200g")


def with_shared(old: Path, new: Path, shared: Workload) -> str:
    """Tell what follows from another value of the shared workload."""
    pools = assemblies.pools([CRITICAL, shared, NOTEBOOK])
    changed(old, new, Pools=pools)
    return printed(old, new)


@pytest.mark.parametrize("keep", [False, True], ids=["deleted", "kept"])
def test_a_removed_tenant(old: Path, tmp_path: Path, keep: bool) -> None:
    logs = assemblies.resource("AWS::Logs::LogGroup", LogGroupName="/science")
    group = {**logs, "DeletionPolicy": "Retain"} if keep else logs
    changed(old, tmp_path, **assemblies.tenant("science"), scienceLogs=group)
    text = printed(tmp_path, old)
    assert (
        "- science\n      => namespace science is deleted with 1 ResourceQuota, and everything "
        "else in it, such as pods\n"
    ) in text
    kept = "=> kept in the account with its records (DeletionPolicy: Retain)\n"
    assert (kept in text) is keep
    assert ("=> deleted with its records: DeletionPolicy does not retain it\n" in text) is not keep
    jobs = "VirtualCluster scienceVc\n      => its jobs: AWS documents only that a virtual cluster"
    assert text.count(jobs) == 1
    assert "kubectl" not in text


@pytest.mark.parametrize(
    ("before", "after", "effect"),
    [
        ("1.35", "1.36", "in place; managed node groups must have the old version first"),
        ("1.34", "1.36", "2 minor versions at once: EKS upgrades one at a time"),
        (
            "1.36",
            "1.35",
            "a downgrade: EKS allows it only as a version rollback by one minor version",
        ),
    ],
)
def test_another_kubernetes_version(tmp_path: Path, before: str, after: str, effect: str) -> None:
    image = {"amiSelectorTerms": [{"alias": "al2023@v20261023"}]}
    classes = assemblies.manifest(
        *({"kind": "EC2NodeClass", "metadata": {"name": name}, "spec": image} for name in CLASSES)
    )
    folders = []
    for version in (before, after):
        eks = assemblies.resource("AWS::EKS::Cluster", Name="emr-on-eks", Version=version)
        stack = assemblies.platform(Cluster1234=eks, Classes=classes)
        folders.append(assemblies.write(tmp_path / version, {"Platform": stack}))
    text = printed(*folders)
    assert (
        f"Cluster\n  ~ AWS::EKS::Cluster Cluster1234\n      Version: {before} -> {after}\n" in text
    )
    assert f"=> {effect}" in text
    drivers = "critical-driver, shared-driver, notebook-driver"
    assert (
        f"=> nodes of {drivers} drift (all: another image): Karpenter replaces at most 10% of a "
        "pool at a time; a node with do-not-disrupt pods, such as drivers, stays until they end, "
        "at most 24h; other pods are evicted\n"
    ) in text
    executors = drivers.replace("driver", "executor")
    assert (
        f"=> nodes of {executors} drift (all: another image): the drift budget is 0, so each node "
        "is deleted when it is empty or at the age of 720h\n"
    ) in text


def test_another_priority_of_a_workload(tmp_path: Path) -> None:
    folders = []
    for priority in (2_000, 2_200):
        classes = assemblies.manifest(*priority_classes("shared", priority))
        stack = assemblies.platform(Priorities=classes)
        folders.append(assemblies.write(tmp_path / str(priority), {"Platform": stack}))
    text = printed(*folders)
    assert "refused by Kubernetes, because of value\n      value: 2000 -> 2200\n" in text
    assert "2 refused: the deployment would fail" in text
    assert text.endswith(
        "Delete them before the deployment, while nothing uses them:\n"
        "  kubectl delete priorityclass shared-driver shared-executor\n"
    )


def test_a_workload_that_loses_its_on_demand_fallback(old: Path, tmp_path: Path) -> None:
    text = with_shared(old, tmp_path, replace(SHARED, on_demand_fallback=False))
    pools = [f"shared-executor-on-demand-us-east-1{zone}" for zone in "abc"]
    listed = "".join(f"  - {name}\n" for name in pools)
    assert (
        f"Node pools\n{listed}"
        "      => stays in the cluster, and Karpenter uses it, until you delete it: see below\n"
        "      => executors of shared have only spot capacity: in a zone without spot capacity, "
        "they wait\n"
    ) in text
    assert f"  kubectl delete nodepool {' '.join(pools)}  # drains its nodes" in text


def test_other_instance_families_of_a_pool(old: Path, tmp_path: Path) -> None:
    instances = Instances(
        families=("m7gd", "m8gd", "r7gd", "r8gd", "c7gd"), sizes=("4xlarge", "8xlarge", "16xlarge")
    )
    text = with_shared(old, tmp_path, replace(SHARED, executor_instances=instances))
    family = "spec.template.spec.requirements[karpenter.k8s.aws/instance-family].values"
    assert text.count(f"{family}: -m6gd -r6gd +c7gd\n") == 1
    assert text.count("=> nodes drift") == 1
    assert (
        "=> nodes drift (those of instance-family m6gd, r6gd, and those of instance-size 2xlarge): "
        "the drift budget is 0, so each node is deleted when it is empty or at the age of 720h\n"
    ) in text


def test_one_value_of_a_quota(old: Path, tmp_path: Path) -> None:
    changed(old, tmp_path, **assemblies.tenant(cpu="300"))
    assert printed(old, tmp_path) == (
        "Tenant\n  ~ analytics\n"
        "      ResourceQuota quota.spec.hard[requests.cpu]: 400 -> 300\n"
        "      => running pods stay and count; the quota applies to new pods\n\n"
        "0 added, 0 removed, 1 changed, 0 known to be replaced\n"
    )
