"""Managed endpoints in the template: what they wait for, what they are made of, who pays."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, cast

import aws_cdk as cdk
import pytest

from cdk_emr_eks.addons.load_balancer_controller import LoadBalancerController
from cdk_emr_eks.errors import ConfigError
from cdk_emr_eks.model.access.execution_role import ExecutionRoleSpec
from cdk_emr_eks.model.nodes.gateway_pool import GatewayPool
from cdk_emr_eks.model.notebooks.managed_endpoint import KernelImages, ManagedEndpointSpec
from cdk_emr_eks.model.tenants.tenant import Tenant
from cdk_emr_eks.model.workloads.catalog import NOTEBOOK
from cdk_emr_eks.model.workloads.shapes import NodePoolLimits
from cdk_emr_eks.notebooks.managed_endpoint import ManagedEndpoint
from cdk_emr_eks.platforms.emr_eks_cluster import EmrEksCluster
from cdk_emr_eks.platforms.platform import Platform
from cdk_emr_eks.tenants.tenant import EmrEksTenant
from cdk_emr_eks.units import Cpu, Memory
from cdk_emr_eks.versions import LOAD_BALANCER_CONTROLLER
from tests.synth.addons.karpenter_app import waits_for as needed_by
from tests.synth.notebooks.endpoint_app import BOTH, SPARK, synthesized
from tests.synth.synthesized import Resource, Synthesized
from tests.synth.tenants.tenancy_app import new_app, new_context

ENDPOINT = "AWS::EMRContainers::Endpoint"
HELM = "Custom::AWSCDK-EKS-HelmChart"
MANIFEST = "Custom::AWSCDK-EKS-KubernetesResource"


@pytest.fixture(scope="module")
def app() -> Synthesized:
    return synthesized()


def waits_for(app: Synthesized, stack: str, id: str) -> set[str]:
    """All that is made before a resource, and so deleted after it."""
    return needed_by(app.templates[stack]["Resources"], id)


def overrides(resource: Resource) -> dict[str, Mapping[str, Any]]:
    configuration = resource["Properties"]["ConfigurationOverrides"]
    return {item["Classification"]: item for item in configuration["ApplicationConfiguration"]}


def test_an_endpoint_comes_after_all_it_needs_and_goes_before_it(app: Synthesized) -> None:
    id, _ = app.only("Platform", ENDPOINT)
    before = waits_for(app, "Platform", id)
    needed = [
        app.only("Platform", HELM, "LoadBalancerController")[0],
        app.only("Platform", "AWS::EKS::PodIdentityAssociation", "LoadBalancer")[0],
        app.only("Platform", MANIFEST, "NodePools")[0],
        app.only("Platform", HELM, "KarpenterChart")[0],
        app.only("Platform", "AWS::EMRContainers::VirtualCluster")[0],
        app.only("Platform", "AWS::Logs::LogGroup", "Tenantresearch")[0],
        app.only("Platform", MANIFEST, "Tenantresearch")[0],
        *app.of_type("Platform", "AWS::EKS::Nodegroup"),
    ]
    assert set(needed) <= before
    associations = app.of_type("Platform", "AWS::EKS::PodIdentityAssociation")
    own = {id for id in associations if "Tenantresearch" in id}
    assert len(own) == 6
    assert own <= before


def test_the_controller_goes_after_its_endpoints_and_before_its_rights(app: Synthesized) -> None:
    chart, _ = app.only("Platform", HELM, "LoadBalancerController")
    before = waits_for(app, "Platform", chart)
    assert not set(app.of_type("Platform", ENDPOINT)) & before
    policies = {id for id in app.of_type("Platform", "AWS::IAM::ManagedPolicy") if "Load" in id}
    assert len(policies) == 2
    assert policies <= before
    assert set(app.of_type("Platform", "AWS::EKS::Addon")) <= before
    assert set(app.of_type("Platform", "AWS::EKS::Nodegroup")) <= before


def test_an_endpoint_in_another_stack_waits_for_the_clusters(app: Synthesized) -> None:
    assembly = app.app.synth()
    artifact = assembly.get_stack_by_name("Elsewhere")
    assert "Platform" in {each.id for each in artifact.dependencies}
    platform = assembly.get_stack_by_name("Platform")
    assert "Elsewhere" not in {each.id for each in platform.dependencies}
    # The prerequisites of all endpoints are created once, in the stack of the cluster.
    for kind in (HELM, "AWS::Lambda::Function"):
        assert not app.of_type("Elsewhere", kind)
    assert len(app.of_type("Platform", HELM)) == 3


def test_endpoints_add_no_custom_resource_for_their_nodes(app: Synthesized) -> None:
    pools = json.dumps(app.only("Platform", MANIFEST, "NodePools")[1])
    assert pools.count('\\"name\\":\\"gateway\\"') == 1
    assert "emr-gateway" in pools
    # The two of the cluster's kubectl handler: endpoints add none.
    assert len(app.of_type("Platform", "AWS::Lambda::Function")) == 2


def test_load_balancers_find_private_subnets(app: Synthesized) -> None:
    subnets = app.of_type("Platform", "AWS::EC2::Subnet").items()
    tags = {id: {t["Key"]: t["Value"] for t in s["Properties"]["Tags"]} for id, s in subnets}
    internal = [id for id, own in tags.items() if own.get("kubernetes.io/role/internal-elb") == "1"]
    assert len(internal) == 3
    assert not any(
        app.of_type("Platform", "AWS::EC2::Subnet")[id]["Properties"].get("MapPublicIpOnLaunch")
        for id in internal
    )


def test_the_chart_is_pinned_and_needs_no_metadata_service(app: Synthesized) -> None:
    _, chart = app.only("Platform", HELM, "LoadBalancerController")
    properties = chart["Properties"]
    assert properties["Version"] == LOAD_BALANCER_CONTROLLER
    assert properties["Repository"] == "https://aws.github.io/eks-charts"
    assert properties["Atomic"] is True
    # Its CRDs are in the chart.
    assert not properties.get("SkipCrds")
    parts = properties["Values"]["Fn::Join"][1]
    values = json.loads("".join(p if isinstance(p, str) else next(iter(p.values())) for p in parts))
    vpc, _ = app.only("Platform", "AWS::EC2::VPC")
    assert (values["clusterName"], values["region"], values["vpcId"]) == (
        *("emr-on-eks", "AWS::Region"),
        vpc,
    )
    assert values["nodeSelector"] == {"emr-eks/system": "true"}
    assert values["tolerations"][0]["key"] == "emr-eks/system"
    assert values["enableServiceMutatorWebhook"] is False


def test_an_endpoint_has_its_tenants_defaults(app: Synthesized) -> None:
    _, endpoint = app.only("Platform", ENDPOINT)
    properties = endpoint["Properties"]
    assert properties["Type"] == "JUPYTER_ENTERPRISE_GATEWAY"
    assert properties["ReleaseLabel"] == "emr-7.14.0-latest"
    assert properties["Tags"] == [{"Key": "emr-eks/tenant", "Value": "research"}]
    # EMR has it for Spark Connect only.
    assert "SessionIdleTimeoutInMinutes" not in properties
    spark = overrides(endpoint)["spark-defaults"]["Properties"]
    assert spark["spark.kubernetes.driver.label.emr-eks/tenant"] == "research"
    assert "Fn::Join" in spark["spark.kubernetes.driver.podTemplateFile"]
    monitoring = properties["ConfigurationOverrides"]["MonitoringConfiguration"]
    assert monitoring["CloudWatchMonitoringConfiguration"] == {
        "LogGroupName": "/emr-on-eks/emr-on-eks/research",
        "LogStreamNamePrefix": "endpoints/research",
    }


def test_options_reach_the_endpoint(app: Synthesized) -> None:
    _, endpoint = app.only("Elsewhere", ENDPOINT)
    properties = endpoint["Properties"]
    assert (properties["Name"], properties["ReleaseLabel"]) == ("sales_2", "emr-7.10.0-latest")
    role, _ = app.only("Elsewhere", "AWS::IAM::Role", "Role1")
    assert properties["ExecutionRoleArn"] == {"Fn::GetAtt": [role, "Arn"]}
    tags = {each["Key"]: each["Value"] for each in properties["Tags"]}
    assert tags == {"team": "sales", "cost": "7", "emr-eks/tenant": "sales"}
    found = overrides(endpoint)
    assert found["core-site"]["Properties"] == {"fs.s3.maxRetries": "9"}
    assert found["jeg-config"]["Properties"]["RemoteMappingKernelManager.cull_idle_timeout"] == (
        "1200"
    )
    assert found["jupyter-kernel-overrides"] == {
        "Classification": "jupyter-kernel-overrides",
        "Configurations": [
            {
                "Classification": "spark-python-kubernetes",
                "Properties": {"container-image": SPARK},
            }
        ],
    }


def test_outputs_tell_id_arn_and_url(app: Synthesized) -> None:
    id, _ = app.only("Platform", ENDPOINT)
    values = [output["Value"] for output in app.templates["Platform"]["Outputs"].values()]
    for attribute in ("Id", "Arn", "ServerUrl"):
        assert {"Fn::GetAtt": [id, attribute]} in values


def test_on_an_imported_cluster_nothing_is_made_for_endpoints(app: Synthesized) -> None:
    assert len(app.of_type("Imported", ENDPOINT)) == 1
    for kind in (HELM, "AWS::Lambda::Function"):
        assert not app.of_type("Imported", kind)


# ---- bad input, and what is there already


def test_clusters_without_the_parts_are_refused() -> None:
    stack = cdk.Stack(new_app(), "Stack")
    role = ExecutionRoleSpec(name="emr-x", uses=BOTH)
    tenant = EmrEksTenant(
        stack,
        "Tenant",
        context=new_context(stack),
        tenant=Tenant(name="x", execution_roles=(role,)),
    )
    words = (
        "must be on a cluster with the AWS Load Balancer Controller and gateway nodes.*ImportedPl"
    )
    with pytest.raises(ConfigError, match=words):
        ManagedEndpoint(stack, "Endpoint", tenant=tenant, spec=ManagedEndpointSpec(name="x"))


@pytest.fixture(scope="module")
def tenants() -> tuple[EmrEksCluster, EmrEksTenant, EmrEksTenant]:
    cluster = EmrEksCluster(cdk.Stack(new_app(), "Stack"), "Cluster")
    role = ExecutionRoleSpec(name="emr-x", uses=BOTH)
    able = cluster.add_tenant(
        Tenant(name="able", workloads=("shared", "notebook"), execution_roles=(role,))
    )
    jobs = cluster.add_tenant(Tenant(name="jobs"))
    return cluster, able, jobs


def test_roles_releases_and_workloads_are_checked(
    tenants: tuple[EmrEksCluster, EmrEksTenant, EmrEksTenant],
) -> None:
    cluster, able, jobs = tenants
    spec = ManagedEndpointSpec(name="x")
    with pytest.raises(ConfigError, match=r"with the use 'endpoints'; the tenant has none.*uses="):
        ManagedEndpoint(jobs, "Endpoint", tenant=jobs, spec=spec)
    with pytest.raises(ConfigError, match="must be an execution role with the use 'endpoints'"):
        ManagedEndpoint(able, "Endpoint", tenant=able, spec=spec, role="other")
    with pytest.raises(ConfigError, match=r"at least emr-7\.3\.0 for Pod Id"):
        ManagedEndpoint(
            able, "Endpoint", tenant=able, spec=replace(spec, release_label="emr-7.2.0-latest")
        )
    with pytest.raises(ConfigError, match="workload must be x86 only"):
        ManagedEndpoint(able, "Endpoint", tenant=able, spec=replace(spec, workload="shared"))
    with pytest.raises(ConfigError, match="Tenant 'able': workload must be one of"):
        ManagedEndpoint(able, "Endpoint", tenant=able, spec=replace(spec, workload="critical"))
    with pytest.raises(ConfigError, match=r"kernel_images must be of a registry in admission"):
        ManagedEndpoint(
            able,
            "Endpoint",
            tenant=able,
            spec=replace(spec, kernel_images=KernelImages(spark=SPARK)),
        )
    # Nothing was added to the cluster.
    assert cluster.node.try_find_child("Addon-LoadBalancerController") is None
    ManagedEndpoint(able, "Endpoint", tenant=able, spec=spec)
    with pytest.raises(ConfigError, match=r"name must be used once in a virtual cluster"):
        ManagedEndpoint(able, "Another", tenant=able, spec=spec)


def test_another_gateway_pool_is_refused_once_there_is_one(
    tenants: tuple[EmrEksCluster, EmrEksTenant, EmrEksTenant],
) -> None:
    cluster, _, _ = tenants
    small = GatewayPool(limits=NodePoolLimits(cpu=Cpu.cores(16), memory=Memory.from_gib(64)))
    cluster.enable_endpoints()
    cluster.enable_endpoints(GatewayPool())
    with pytest.raises(ConfigError, match="gateway must be the same at each call"):
        cluster.enable_endpoints(small)
    with pytest.raises(ConfigError, match="gateway must be GatewayPool"):
        cluster.enable_endpoints(cast(GatewayPool, 3))


def test_a_controller_among_the_addons_is_used() -> None:
    chosen = LoadBalancerController(replicas=3)
    stack = cdk.Stack(new_app(), "Stack")
    cluster = EmrEksCluster(stack, "Cluster", platform=Platform(addons=(chosen,)))
    before = [each.node.path for each in cluster.node.find_all() if "Addon-Load" in each.node.path]
    pool = GatewayPool(limits=NodePoolLimits(cpu=Cpu.cores(16), memory=Memory.from_gib(64)))
    ready = cluster.enable_endpoints(pool)
    after = [each.node.path for each in cluster.node.find_all() if "Addon-Load" in each.node.path]
    assert before == after != []
    assert cluster.context.endpoint_prerequisites("here").ensure() is ready
    assert "gateway" in {each.name for each in cluster.node_pools.pools}


def test_a_workload_of_the_gateways_name_is_refused() -> None:
    stack = cdk.Stack(new_app(), "Stack")
    workloads = (NOTEBOOK, replace(NOTEBOOK, name="gateway"))
    cluster = EmrEksCluster(stack, "Cluster", platform=Platform(workloads=workloads))
    with pytest.raises(ConfigError, match="must not be the name of a workload"):
        cluster.enable_endpoints()


@pytest.mark.parametrize("version", ["2.17.1", "3.4.3", "4.0.0", "latest"])
def test_unknown_versions_of_the_controller_are_refused(version: str) -> None:
    with pytest.raises(ConfigError, match="version must be a release such as"):
        LoadBalancerController(version=version)


def test_a_controller_has_a_replica() -> None:
    with pytest.raises(ConfigError, match="replicas must be 1 or more"):
        LoadBalancerController(replicas=0)
