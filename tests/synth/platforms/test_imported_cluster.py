"""Imported clusters: tenants, node pools, and the app that installs the cluster's policies."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any, Final

import aws_cdk as cdk
import pytest
from aws_cdk.assertions import Annotations, Match
from constructs import Construct

from cdk_emr_eks import (
    SHARED,
    ClusterPolicies,
    ConfigError,
    ImportedEmrEksCluster,
    ImportedPlatform,
    NodeEnvironment,
    PersistentVolumes,
    Tenant,
    Zone,
)
from cdk_emr_eks.model.admission.cluster_policies import ADMISSION_POLICIES
from tests.synth.platforms.platform_parts import Resources, needs, of_type, resources

MANIFEST: Final = "Custom::AWSCDK-EKS-KubernetesResource"
NODES: Final = NodeEnvironment(
    cluster_name="elsewhere",
    zones=(Zone.named("eu-west-1a"),),
    role="KarpenterNodeRole-elsewhere",
    subnets=({"tags": {"karpenter.sh/discovery": "elsewhere"}},),
    security_groups=({"tags": {"aws:eks:cluster-name": "elsewhere"}},),
)
VOLUMES: Final = replace(SHARED, name="volumes", priority=3_000, storage=PersistentVolumes())


def imported(
    scope: Construct, *, log_key_arn: str | None = None, **options: Any
) -> ImportedEmrEksCluster:
    return ImportedEmrEksCluster.from_cluster_attributes(
        scope,
        "Imported",
        platform=ImportedPlatform(cluster_name="elsewhere", **options),
        kubectl_service_token="arn:aws:lambda:eu-west-1:111122223333:function:kubectl",
        log_key_arn=log_key_arn,
    )


def made(**options: Any) -> tuple[Resources, Annotations]:
    """A stack with a tenant on an imported cluster, and what the synthesis warns of."""
    stack = cdk.Stack(cdk.App(), "Tenants")
    imported(stack, **options).add_tenant(Tenant(name="analytics"))
    return resources(stack), Annotations.from_stack(stack)


def holding(found: Resources, kind: str) -> list[str]:
    """The custom resources that apply an object of a kind."""
    applied = of_type(found, MANIFEST).items()
    return [name for name, each in applied if f'"kind\\":\\"{kind}\\"' in json.dumps(each)]


def warnings(notes: Annotations) -> list[str]:
    ids = ("admission-policies", "unknown-kubernetes")
    entries = notes.find_warning("*", Match.any_value())
    texts = [str(each.entry.data) for each in entries]
    return [id for id in ids if any(f"cdk-emr-eks:{id}]" in text for text in texts)]


def test_tenant_on_a_cluster_of_another_app() -> None:
    key = "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
    found, _ = made(log_key_arn=key)
    ((_, objects),) = of_type(found, MANIFEST).items()
    assert objects["ServiceToken"] == "arn:aws:lambda:eu-west-1:111122223333:function:kubectl"
    assert objects["ClusterName"] == "elsewhere"
    ((_, group),) = of_type(found, "AWS::Logs::LogGroup").items()
    assert group["KmsKeyId"] == key
    assert not of_type(found, "AWS::Lambda::Function")


def test_pools_on_a_cluster_of_another_app() -> None:
    found, _ = made(workloads=(SHARED,), nodes=NODES)
    (pools,) = holding(found, "NodePool")
    text = json.dumps(found[pools])
    assert "shared-driver-eu-west-1a" in text
    assert "KarpenterNodeRole-elsewhere" in text
    (tenant,) = holding(found, "LimitRange")
    assert pools in needs(found, tenant)


@pytest.mark.parametrize("nodes", [None, NODES], ids=["existing-pools", "new-pools"])
@pytest.mark.parametrize(("kubernetes", "mutates"), [("1.35", 0), ("1.36", 1), ("1.40", 1)])
def test_policies_are_installed_before_tenants(
    nodes: NodeEnvironment | None, kubernetes: str, mutates: int
) -> None:
    policies = ClusterPolicies(kubernetes=kubernetes)
    found, notes = made(workloads=(SHARED, VOLUMES), nodes=nodes, policies=policies)
    (stage,) = holding(found, "ValidatingAdmissionPolicy")
    text = json.dumps(found[stage])
    assert all(f'\\"name\\":\\"{each.name}\\"' in text for each in ADMISSION_POLICIES)
    assert holding(found, "PriorityClass") == holding(found, "StorageClass") == [stage]
    assert holding(found, "MutatingAdmissionPolicy") == [stage] * mutates
    (tenant,) = holding(found, "LimitRange")
    assert stage in needs(found, tenant)
    assert warnings(notes) == []


def test_policies_of_another_app_are_not_created_twice() -> None:
    policies = ClusterPolicies(install=False)
    found, notes = made(policies=policies)
    assert holding(found, "Namespace")
    assert not holding(found, "ValidatingAdmissionPolicy")
    assert not holding(found, "PriorityClass")
    assert warnings(notes) == []
    # Pools of further workloads bring the priorities of these, and nothing that is the cluster's.
    found, notes = made(workloads=(SHARED, VOLUMES), nodes=NODES, policies=policies)
    (stage,) = holding(found, "PriorityClass")
    assert "volumes-driver" in json.dumps(found[stage])
    for kind in ("ValidatingAdmissionPolicy", "MutatingAdmissionPolicy", "StorageClass"):
        assert not holding(found, kind)
    assert warnings(notes) == []


def test_what_is_not_said_of_policies_is_warned_of() -> None:
    found, notes = made()
    assert not holding(found, "ValidatingAdmissionPolicy")
    assert warnings(notes) == ["admission-policies"]
    found, notes = made(workloads=(SHARED,), nodes=NODES)
    assert holding(found, "ValidatingAdmissionPolicy")
    assert warnings(notes) == ["unknown-kubernetes"]


@pytest.mark.parametrize("kubernetes", ["1.29", "v1.36", "1.36.2", "latest", "2.36", ""])
def test_versions_that_have_no_policies_are_refused(kubernetes: str) -> None:
    with pytest.raises(ConfigError, match=r"kubernetes must be a version of EKS such as '1\.36'"):
        ClusterPolicies(kubernetes=kubernetes)


def test_a_version_is_for_who_installs_the_policies() -> None:
    with pytest.raises(ConfigError, match="kubernetes must be left out with install=False"):
        ClusterPolicies(install=False, kubernetes="1.36")
