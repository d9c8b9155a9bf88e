"""The whole platform: order of creation and deletion, options, several clusters in one stack."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, cast

import aws_cdk as cdk
import cdk8s
import pytest
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_eks_v2 as eks
from aws_cdk import aws_iam as iam
from constructs import Construct, IDependable

from cdk_emr_eks import (
    DEFAULT_WORKLOADS,
    SHARED,
    ClusterSpec,
    ConfigError,
    EmrEksCluster,
    ExistingNetwork,
    Karpenter,
    Nat,
    NetworkSpec,
    PersistentVolumes,
    Platform,
    Tenant,
)
from cdk_emr_eks.addons.protocol import AddonContext
from tests.synth.platforms.platform_parts import Resources, needs, of_type, resources

MANIFEST = "Custom::AWSCDK-EKS-KubernetesResource"
CHART = "Custom::AWSCDK-EKS-HelmChart"


@dataclass(frozen=True, kw_only=True)
class Note:
    """An add-on that is one ConfigMap."""

    name: str = "Note"
    requires: tuple[str, ...] = ("Karpenter",)

    def install(self, scope: Construct, context: AddonContext) -> IDependable:
        return eks.KubernetesManifest(
            scope,
            self.name,
            cluster=context.cluster,
            manifest=[
                {
                    "apiVersion": "v1",
                    "kind": "ConfigMap",
                    "metadata": {"name": self.name.lower(), "namespace": "kube-system"},
                }
            ],
        )


@pytest.fixture(scope="module")
def found() -> Resources:
    stack = cdk.Stack(cdk.App(), "Platform")
    cluster = EmrEksCluster(stack, "EmrEksCluster")
    cluster.add_tenant(Tenant(name="analytics"))
    cluster.install(Note())
    for number in range(2):
        chart = cdk8s.Chart(cdk8s.App(), f"chart-{number}")
        cdk8s.ApiObject(
            chart,
            "object",
            api_version="v1",
            kind="ConfigMap",
            metadata=cdk8s.ApiObjectMetadata(name=f"mine-{number}", namespace="default"),
        )
        cluster.add_chart(chart)
    first = cluster.node_pools.pools[0]
    cluster.add_karpenter_node_pool(replace(first, name="mine-typed"))
    written = first.manifest()
    cluster.add_karpenter_node_pool({**written, "metadata": {"name": "mine-written"}})
    return resources(stack)


def logical(found: Resources, kind: str, text: str) -> str:
    """The one resource of a type whose properties hold a text."""
    (name,) = (key for key, each in of_type(found, kind).items() if text in json.dumps(each))
    return name


def manifest(found: Resources, text: str) -> str:
    return logical(found, MANIFEST, text.replace('"', '\\"'))


def test_deletion_takes_tenants_then_pools_then_karpenter_then_nodes(found: Resources) -> None:
    (virtual_cluster,) = of_type(found, "AWS::EMRContainers::VirtualCluster")
    namespace = manifest(found, '"LimitRange"')
    pools = manifest(found, '"NodePool"')
    chart = logical(found, CHART, '"Chart": "karpenter"')
    crds = logical(found, CHART, '"Chart": "karpenter-crd"')
    (nodes,) = of_type(found, "AWS::EKS::Nodegroup")
    order = [virtual_cluster, namespace, pools, chart, crds, nodes]
    for first, then in pairwise(order):
        assert then in needs(found, first), f"{first} must go before {then}"


def test_what_is_of_the_cluster_waits_for_it(found: Resources) -> None:
    # The literal name of the cluster is no reference: associations could come before it.
    (cluster,) = of_type(found, "AWS::EKS::Cluster")
    kinds = ("AWS::EKS::", "AWS::EMRContainers::", "Custom::")
    of_it = {name for name, each in found.items() if str(each["Type"]).startswith(kinds)}
    early = {name for name in of_it - {cluster} if cluster not in needs(found, name)}
    assert not early


def test_priority_classes_are_there_before_tenants(found: Resources) -> None:
    classes = manifest(found, '"PriorityClass"')
    assert classes in needs(found, manifest(found, '"LimitRange"'))


def test_pools_of_the_user_are_added_and_checked(found: Resources) -> None:
    pools = manifest(found, '"EC2NodeClass"')
    assert manifest(found, '"mine-typed"') == manifest(found, '"mine-written"') == pools
    cluster = EmrEksCluster(cdk.Stack(cdk.App(), "Platform"), "EmrEksCluster")
    first = cluster.node_pools.pools[0]
    with pytest.raises(ConfigError, match=r"metadata\.name must be different"):
        cluster.add_karpenter_node_pool(first)
    wrong = {**cast(dict[str, object], first.manifest()["spec"]), "weight": 101}
    with pytest.raises(ConfigError, match=r"spec\.weight"):
        cluster.add_karpenter_node_pool({**first.manifest(), "spec": wrong})


def test_all_charts_of_the_user_are_one_resource_after_the_pools(found: Resources) -> None:
    charts = manifest(found, "mine-0")
    assert charts == manifest(found, "mine-1")
    assert manifest(found, '"NodePool"') in needs(found, charts)


def test_an_add_on_waits_for_those_it_requires(found: Resources) -> None:
    assert logical(found, CHART, '"Chart": "karpenter"') in needs(found, manifest(found, '"note"'))


def test_the_key_serves_the_cluster_s_and_the_jobs_logs_only(found: Resources) -> None:
    ((_, key),) = of_type(found, "AWS::KMS::Key").items()
    policy = cast("Mapping[str, list[dict[str, Any]]]", key["KeyPolicy"])
    contexts = [
        json.dumps(each["Condition"]["ArnLike"]["kms:EncryptionContext:aws:logs:arn"])
        for each in policy["Statement"]
        if "Condition" in each and "ArnLike" in each["Condition"]
    ]
    assert len(contexts) == 2
    assert any("/aws/eks/emr-on-eks/" in each for each in contexts)
    assert any("/emr-on-eks/emr-on-eks/" in each for each in contexts)


def test_two_platforms_in_one_stack_and_one_vpc_do_not_collide() -> None:
    stack = cdk.Stack(cdk.App(), "Platforms")
    vpc = ec2.Vpc(stack, "Vpc", restrict_default_security_group=False)
    for name in ("blue", "green"):
        cluster = EmrEksCluster(
            stack,
            name,
            platform=Platform(cluster=ClusterSpec(name=name), network=ExistingNetwork(vpc=vpc)),
        )
        cluster.add_tenant(Tenant(name=f"analytics-{name}"))
    found = resources(stack)
    assert len(of_type(found, "AWS::EKS::Cluster")) == 2
    assert len(of_type(found, "AWS::EMRContainers::VirtualCluster")) == 2


def test_same_tenant_name_on_two_clusters() -> None:
    stack = cdk.Stack(cdk.App(), "Platforms")
    vpc = ec2.Vpc(stack, "Vpc", restrict_default_security_group=False)
    for name in ("blue", "green"):
        spec = ClusterSpec(name=name)
        cluster = EmrEksCluster(
            stack, name, platform=Platform(cluster=spec, network=ExistingNetwork(vpc=vpc))
        )
        cluster.add_tenant(Tenant(name="analytics"))
    assert len(of_type(resources(stack), "AWS::EMRContainers::VirtualCluster")) == 2


def test_without_nat_the_stack_has_karpenters_instance_profile() -> None:
    stack = cdk.Stack(cdk.App(), "Private")
    network = NetworkSpec(nat=Nat.NONE, interface_endpoints=True)
    # Other options of Karpenter do not remove it.
    EmrEksCluster(
        stack, "Cluster", platform=Platform(network=network, karpenter=Karpenter(replicas=3))
    )
    found = resources(stack)
    ((name, profile),) = of_type(found, "AWS::IAM::InstanceProfile").items()
    (role,) = [each for each in of_type(found, "AWS::IAM::Role") if "KarpenterNodeRole" in each]
    assert profile["Roles"] == [{"Ref": role}]
    (capacity,) = [
        json.dumps(each["Manifest"])
        for each in of_type(found, MANIFEST).values()
        if "EC2NodeClass" in json.dumps(each["Manifest"])
    ]
    assert f'instanceProfile\\":\\"", {{"Ref": "{name}"}}' in capacity
    assert '\\"role\\":' not in capacity
    charts = [json.dumps(each.get("Values", "")) for each in of_type(found, CHART).values()]
    assert any('isolatedVPC\\":true' in each for each in charts)


def test_get_or_create_gives_the_same_cluster_to_any_scope_of_the_stack() -> None:
    stack = cdk.Stack(cdk.App(), "Platform")
    admin = iam.Role.from_role_name(stack, "Admin", "eks-admin")
    first = EmrEksCluster.get_or_create(stack, platform=Platform(admins=(admin,)))
    again = EmrEksCluster.get_or_create(
        Construct(stack, "Team"), platform=Platform(admins=(admin,))
    )
    assert again is first
    other = EmrEksCluster.get_or_create(
        stack, platform=Platform(cluster=ClusterSpec(name="second"))
    )
    assert other is not first


@pytest.mark.parametrize(
    ("field", "options"),
    [
        ("cluster", {"cluster": ClusterSpec(log_days=30)}),
        ("workloads", {"workloads": (SHARED,)}),
        ("karpenter", {"karpenter": Karpenter(replicas=3)}),
        ("bundle_per_workload", {"bundle_per_workload": True}),
    ],
)
def test_get_or_create_refuses_other_options(field: str, options: dict[str, Any]) -> None:
    stack = cdk.Stack(cdk.App(), "Platform")
    EmrEksCluster.get_or_create(stack)
    with pytest.raises(
        ConfigError, match="must be the same at each call for one cluster"
    ) as caught:
        EmrEksCluster.get_or_create(stack, platform=Platform(**options))
    assert caught.value.fields == (field,)
    assert caught.value.where == "EmrEksCluster 'emr-on-eks'"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"addons": (Note(requires=("Prometheus",)),)},
            "Add-on 'Note': requires must name installed add-ons (Karpenter, Note), "
            "got 'Prometheus'.",
        ),
        (
            {"addons": (Karpenter(),)},
            "Add-on 'Karpenter': name must be installed only once, got 'Karpenter'.",
        ),
        (
            {"workloads": ()},
            "Workloads: workloads must have at least one: nothing could run.",
        ),
        (
            {"workloads": (*DEFAULT_WORKLOADS, SHARED)},
            "Workloads: name must be used once, got 'shared'.",
        ),
    ],
)
def test_bad_options_are_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        Platform(**options)
    assert message in str(caught.value)


def test_a_workload_on_volumes_brings_its_storage_class() -> None:
    workload = replace(SHARED, name="volumes", storage=PersistentVolumes())
    stack = cdk.Stack(cdk.App(), "Platform")
    EmrEksCluster(stack, "EmrEksCluster", platform=Platform(workloads=(workload,)))
    assert manifest(resources(stack), '"StorageClass"')


def test_tenant_in_another_stack_than_the_cluster_needs_few_exports() -> None:
    app = cdk.App()
    platform = cdk.Stack(app, "Platform")
    cluster = EmrEksCluster(platform, "EmrEksCluster")
    tenants = cdk.Stack(app, "Tenants")
    cluster.add_tenant(Tenant(name="analytics"), scope=tenants)
    cluster.add_tenant(Tenant(name="science"), scope=tenants)
    assembly = app.synth()
    template = assembly.get_stack_by_name("Platform").template
    exports = [each for each in template["Outputs"].values() if "Export" in each]
    # The cluster's name, its kubectl handler, its ARN in trust policies, and the key: for any
    # number of tenants.
    assert len(exports) <= 4
    assert [each.stack_name for each in tenants.dependencies] == ["Platform"]
