"""Constructs refuse arguments of wrong types and names that are taken before they make anything."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from inspect import signature
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_ec2 as ec2

from cdk_emr_eks import (
    SHARED,
    ConfigError,
    EmrEksCluster,
    ExecutionRoleSpec,
    ExistingNetwork,
    ImportedEmrEksCluster,
    ImportedPlatform,
    JobTemplate,
    NodeEnvironment,
    OidcProvider,
    Platform,
    Tenant,
    VirtualClusterSpec,
    Zone,
)

# Text where a value belongs.
ANY: Any = "analytics"

ZONES = (Zone.named("us-east-1a"),)


@pytest.fixture(scope="module")
def cluster() -> EmrEksCluster:
    made = EmrEksCluster(cdk.Stack(cdk.App(), "Platform"), "EmrEksCluster")
    made.add_tenant(Tenant(name="analytics"))
    made.add_emr_virtual_cluster(VirtualClusterSpec(name="steps"))
    made.create_execution_role(ExecutionRoleSpec(name="steps"), namespace="steps")
    return made


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("cluster", "prod", "must be ClusterSpec, got 'prod'."),
        ("network", "10.0.0.0/16", "must be NetworkSpec or ExistingNetwork, got '10.0.0.0/16'."),
        ("workloads", SHARED, "must be a tuple of Workload, got <class "),
        (
            "workloads",
            [SHARED],
            "must be a tuple of Workload, got <class 'list'>; write a tuple, with a comma after a "
            "single value: (value,).",
        ),
        ("workloads", ("shared",), "must be a tuple of Workload, got 'shared'."),
        ("workloads", "shared", "must be a tuple of Workload, got 'shared'."),
        ("karpenter", "1.14.1", "must be Karpenter, got '1.14.1'."),
        ("addons", ("yunikorn",), "must be a tuple of Addon, got 'yunikorn'."),
        ("admins", ("arn:aws:iam::1:role/a",), "must be a tuple of IRole, got 'arn:"),
        ("workload", (SHARED,), "is not a field of Platform; did you mean workloads?"),
        ("bundle_per_workload", "no", "must be True or False, got 'no'."),
    ],
)
def test_options_of_wrong_types_are_refused(option: str, value: object, message: str) -> None:
    options: dict[str, Any] = {option: value}
    with pytest.raises(ConfigError) as refused:
        Platform(**options)
    assert str(refused.value).startswith(f"Platform: {option} {message}")


def test_something_else_than_a_platform_makes_nothing() -> None:
    stack = cdk.Stack(cdk.App(), "Platform")
    creators: tuple[Callable[[], object], ...] = (
        lambda: EmrEksCluster(stack, "EmrEksCluster", platform=ANY),
        lambda: EmrEksCluster.get_or_create(stack, platform=ANY),
    )
    for create in creators:
        with pytest.raises(ConfigError) as refused:
            create()
        expected = "EmrEksCluster: platform must be Platform or None, got 'analytics'."
        assert str(refused.value) == expected
    assert stack.node.children == []


@pytest.mark.parametrize("construct", [EmrEksCluster, ImportedEmrEksCluster])
def test_signatures_of_constructs_are_short_enough_to_read(construct: type) -> None:
    assert len(str(signature(construct.__init__))) < 250  # type: ignore[misc]


@pytest.mark.parametrize("value", [Platform, ImportedPlatform])
def test_signatures_of_options_are_short_enough_to_read(value: type) -> None:
    assert len(str(signature(value))) < 500


METHODS: Mapping[str, tuple[Callable[[EmrEksCluster], object], str]] = {
    "tenant": (
        lambda cluster: cluster.add_tenant(ANY),
        "add_tenant: tenant must be Tenant, got 'analytics'.",
    ),
    "tenant's scope": (
        lambda cluster: cluster.add_tenant(Tenant(name="other"), scope=ANY),
        "Tenant 'other': scope must be Construct, got 'analytics'.",
    ),
    "tenant twice": (
        lambda cluster: cluster.add_tenant(Tenant(name="analytics", namespace="other")),
        "Tenant 'analytics': name must be used once in 'Platform/EmrEksCluster'.",
    ),
    "virtual cluster": (
        lambda cluster: cluster.add_emr_virtual_cluster(ANY),
        "add_emr_virtual_cluster: spec must be VirtualClusterSpec, got 'analytics'.",
    ),
    "virtual cluster twice": (
        lambda cluster: cluster.add_emr_virtual_cluster(
            VirtualClusterSpec(name="steps", namespace="other")
        ),
        "Virtual cluster 'steps': name must be used once in 'Platform/EmrEksCluster'.",
    ),
    "role": (
        lambda cluster: cluster.create_execution_role(ANY, namespace="steps"),
        "create_execution_role: spec must be ExecutionRoleSpec, got 'analytics'.",
    ),
    "role twice": (
        lambda cluster: cluster.create_execution_role(
            ExecutionRoleSpec(name="steps"), namespace="other"
        ),
        "Execution role 'steps': name must be used once in 'Platform/EmrEksCluster'.",
    ),
    "role's namespace": (
        lambda cluster: cluster.create_execution_role(
            ExecutionRoleSpec(name="another"), namespace="Data Eng"
        ),
        "Execution role 'another': namespace must be a DNS label (a-z, 0-9, '-', at most 63 "
        "characters), got 'Data Eng'; try 'data-eng'.",
    ),
    "job template": (
        lambda cluster: JobTemplate(cluster, "JobTemplate", tenant=ANY, spec=ANY),
        "Job template: spec must be JobTemplateSpec, got 'analytics'.",
    ),
    "pod template": (
        lambda cluster: cluster.upload_pod_template("mine", ANY),
        "Pod template 'mine': template must be a mapping or PodTemplate or Path, got 'analytics'.",
    ),
    "node pool": (
        lambda cluster: cluster.add_karpenter_node_pool(ANY),
        "Node pools: pool must be NodePool or NodeClass or a mapping, got 'analytics'.",
    ),
    "chart": (
        lambda cluster: cluster.add_chart(ANY),
        "EmrEksCluster.add_chart: chart must be Chart, got 'analytics'.",
    ),
    "add-on": (
        lambda cluster: cluster.install(ANY),
        "EmrEksCluster.install: addon must be Addon, got 'analytics'.",
    ),
}


@pytest.mark.parametrize("case", METHODS)
def test_methods_refuse_in_words(cluster: EmrEksCluster, case: str) -> None:
    call, message = METHODS[case]
    before = len(cluster.node.find_all())
    with pytest.raises(ConfigError) as refused:
        call(cluster)
    assert str(refused.value) == message
    assert len(cluster.node.find_all()) == before


VALUES: Mapping[str, tuple[Callable[[], object], str]] = {
    "id of a VPC": (
        lambda: ExistingNetwork(vpc=ANY),
        "ExistingNetwork: vpc must be IVpc, got 'analytics'.",
    ),
    "no VPC": (
        lambda: ExistingNetwork(vpc=None),  # type: ignore[arg-type]
        "ExistingNetwork: vpc must be IVpc, not None.",
    ),
    "ids of subnets": (
        lambda: ExistingNetwork(
            vpc=ec2.Vpc(cdk.Stack(cdk.App(), "Network"), "Vpc"),
            pod_subnets=["subnet-1"],  # type: ignore[arg-type]
        ),
        "ExistingNetwork: pod_subnets must be SubnetSelection or None, got ['subnet-1'].",
    ),
    "names of zones": (
        lambda: NodeEnvironment(
            cluster_name="c",
            zones=("us-east-1a",),  # type: ignore[arg-type]
            role="r",
            subnets=(),
            security_groups=(),
        ),
        "NodeEnvironment: zones must be a tuple of Zone, got 'us-east-1a'.",
    ),
    "ids for selectors": (
        lambda: NodeEnvironment(
            cluster_name="c", zones=ZONES, role="r", subnets=ANY, security_groups=()
        ),
        "NodeEnvironment: subnets must be a tuple of a mapping of text to a value, "
        "got 'analytics'.",
    ),
    "nodes without a role": (
        lambda: NodeEnvironment(cluster_name="c", zones=ZONES, subnets=(), security_groups=()),
        "NodeEnvironment: role must be given, or instance_profile in its place, and not both.",
    ),
    "no issuer": (
        lambda: OidcProvider(arn="arn:aws:iam::1:oidc-provider/a", issuer=None),  # type: ignore[arg-type]
        "OidcProvider: issuer must be text, not None.",
    ),
    "nodes of an imported cluster": (
        lambda: ImportedPlatform(cluster_name="prod", nodes=ANY),
        "ImportedPlatform 'prod': nodes must be NodeEnvironment or None, got 'analytics'.",
    ),
}


@pytest.mark.parametrize("case", VALUES)
def test_values_that_hold_constructs_refuse_in_words(case: str) -> None:
    make, message = VALUES[case]
    with pytest.raises(ConfigError) as refused:
        make()
    assert str(refused.value) == message
