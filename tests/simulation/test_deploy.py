"""The reference app on a real control plane: it is deployed, works, and is deleted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, Final

import pytest
from kubernetes import client

from cdk_emr_eks.assembly import open_assembly
from cdk_emr_eks.model.nodes.zone_pool import ZONE_POOL
from cdk_emr_eks.simulation.aws import EmulatedAws
from cdk_emr_eks.simulation.control_plane.plane import Plane
from cdk_emr_eks.simulation.deploy import AssemblyDeployment, DeployOutcome, deploy
from cdk_emr_eks.simulation.deploy.objects import LAST_APPLIED, Objects
from tests.conftest import Assemblies, Assembly
from tests.simulation.waiting import until

NODE_CLASSES: Final = "/apis/karpenter.k8s.aws/v1/ec2nodeclasses"
NODE_POOLS: Final = "/apis/karpenter.sh/v1/nodepools"
# Collections of objects that a deletion must remove.
PLACES: Final = (
    "/api/v1/namespaces",
    "/api/v1/nodes",
    "/apis/apiextensions.k8s.io/v1/customresourcedefinitions",
    "/apis/rbac.authorization.k8s.io/v1/clusterroles",
    "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings",
    "/apis/scheduling.k8s.io/v1/priorityclasses",
    "/apis/storage.k8s.io/v1/storageclasses",
    "/apis/apps/v1/daemonsets",
    "/apis/apps/v1/deployments",
)


@pytest.fixture(scope="module")
def reference(assemblies: Assemblies) -> Assembly:
    return assemblies("reference")


@pytest.fixture(scope="module")
def aws(plane: Plane, tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmulatedAws]:
    directory = tmp_path_factory.mktemp("aws")
    with EmulatedAws(plane.binaries.prices, directory=directory) as running:
        yield running


@pytest.fixture(scope="module")
def objects(plane: Plane) -> Objects:
    return Objects(plane.client())


@pytest.fixture(scope="module")
def deployment(
    reference: Assembly, plane: Plane, aws: EmulatedAws, objects: Objects
) -> Iterator[AssemblyDeployment]:
    """The deployed app. After all tests of the module, its deletion must leave nothing."""
    before = {path: names(objects, path) for path in PLACES}
    made = deploy(open_assembly(reference.folder), plane=plane, aws=aws)
    assert made.karpenter is not None
    plane.start_karpenter(made.karpenter)
    yield made
    assert made.destroy() == ()
    assert {path: names(objects, path) for path in PLACES} == before
    assert all(vpc["IsDefault"] for vpc in aws.client("ec2").describe_vpcs()["Vpcs"])
    assert not aws.client("iam").list_roles()["Roles"]
    assert not aws.client("events").list_rules()["Rules"]
    assert not aws.client("sqs").list_queues().get("QueueUrls")
    assert not aws.client("eks").list_clusters()["clusters"]
    assert made.destroy() == (), "nothing is there to be deleted again"


def listed(objects: Objects, path: str) -> list[Mapping[str, Any]]:
    answer: Mapping[str, Any] = objects.request("GET", path)[0]
    return list(answer["items"])


def names(objects: Objects, path: str) -> set[str]:
    return {item["metadata"]["name"] for item in listed(objects, path)}


def test_every_resource_has_one_outcome(
    reference: Assembly, deployment: AssemblyDeployment
) -> None:
    expected = Counter(
        (stack.partition(".")[0], logical_id, resource["Type"])
        for stack, template in reference.templates().items()
        for logical_id, resource in template["Resources"].items()
    )
    assert Counter((r.stack, r.logical_id, r.type) for r in deployment.resources) == expected
    silent = [r for r in deployment.resources if r.outcome is DeployOutcome.RECORDED and not r.why]
    assert not silent


def test_every_resource_of_the_reference_app_is_simulated(deployment: AssemblyDeployment) -> None:
    assert deployment.not_simulated == ()
    applied = {r.type for r in deployment.resources if r.outcome is DeployOutcome.APPLIED}
    assert {"Custom::AWSCDK-EKS-KubernetesResource", "Custom::AWSCDK-EKS-HelmChart"} <= applied
    assert deployment.workloads == ("critical", "shared", "notebook")
    assert [tenant.namespace for tenant in deployment.tenants] == ["analytics"]


def test_karpenter_accepts_every_pool_and_node_class(
    deployment: AssemblyDeployment, objects: Objects, aws: EmulatedAws
) -> None:
    pools = {pool.name for pool in deployment.plan.pools}
    assert names(objects, NODE_POOLS) == pools | {ZONE_POOL}

    def unready() -> list[str]:
        every = (*listed(objects, NODE_CLASSES), *listed(objects, NODE_POOLS))
        return [item["metadata"]["name"] for item in every if not _ready(item)]

    until(unready, lambda found: not found)
    for node_class in listed(objects, NODE_CLASSES):
        status = node_class["status"]
        zones = {subnet["zone"] for subnet in status["subnets"]}
        assert zones == {f"{aws.region}{letter}" for letter in "abc"}
        groups = [group["id"] for group in status["securityGroups"]]
        found = aws.client("ec2").describe_security_groups(GroupIds=groups)["SecurityGroups"]
        assert [group["GroupName"] for group in found] == ["eks-cluster-sg-emr-on-eks"]


def _ready(item: Mapping[str, Any]) -> bool:
    conditions = item.get("status", {}).get("conditions", [])
    return any(c["type"] == "Ready" and c["status"] == "True" for c in conditions)


def test_objects_are_created_as_kubectl_does(
    deployment: AssemblyDeployment, objects: Objects
) -> None:
    (pool, *_) = listed(objects, NODE_POOLS)
    assert LAST_APPLIED in pool["metadata"]["annotations"]
    managers = {field["manager"] for field in pool["metadata"]["managedFields"]}
    assert "kubectl-create" in managers


def test_pods_are_admitted_without_webhooks(
    deployment: AssemblyDeployment, objects: Objects
) -> None:
    group = "/apis/admissionregistration.k8s.io/v1"
    for kind, policy in (("validating", "emr-eks-pods"), ("mutating", "emr-eks-submitters")):
        assert policy in names(objects, f"{group}/{kind}admissionpolicies")
        assert names(objects, f"{group}/{kind}webhookconfigurations") == set()


def test_karpenter_has_only_the_rights_of_its_chart(
    deployment: AssemblyDeployment, plane: Plane
) -> None:
    assert deployment.karpenter is not None
    namespace, name = deployment.karpenter.service_account
    core = client.CoreV1Api(plane.client(as_user=f"system:serviceaccount:{namespace}:{name}"))
    assert core.list_node().items
    with pytest.raises(client.ApiException) as refused:
        core.list_secret_for_all_namespaces()
    assert refused.value.status == 403


def test_karpenter_is_started_as_the_chart_says(
    deployment: AssemblyDeployment, aws: EmulatedAws
) -> None:
    assert deployment.karpenter is not None
    environment = deployment.karpenter.env
    (queue,) = aws.client("sqs").list_queues()["QueueUrls"]
    assert environment["INTERRUPTION_QUEUE"] == queue.rpartition("/")[2]
    assert environment["CLUSTER_NAME"] == "emr-on-eks"
    assert environment["SYSTEM_NAMESPACE"] == "kube-system"
    assert environment["CPU_REQUESTS"] == "1000"
    assert environment["MEMORY_LIMIT"] == str(2 * 2**30)
    assert environment["AWS_ENDPOINT_URL"] == aws.endpoint_url


def test_emr_has_rights_in_tenant_namespaces_only(
    deployment: AssemblyDeployment, plane: Plane
) -> None:
    core = client.CoreV1Api(plane.client(as_user="emr-containers"))
    core.list_namespaced_pod("analytics")
    with pytest.raises(client.ApiException) as refused:
        core.list_namespaced_pod("kube-system")
    assert refused.value.status == 403


def test_access_entries_become_identities(deployment: AssemblyDeployment, plane: Plane) -> None:
    kinds = Counter(identity.kind for identity in deployment.identities)
    assert kinds["EMR"] == 1
    (admin,) = [each for each in deployment.identities if "cluster-admin" in str(each.rights)]
    assert client.CoreV1Api(plane.client(as_user=admin.user)).list_node().items
    accounts = {each.user for each in deployment.identities if each.kind == "pod identity"}
    assert "system:serviceaccount:kube-system:karpenter" in accounts
    assert any(":analytics:emr-containers-sa-spark-driver-" in user for user in accounts)


def test_system_nodes_run_karpenters_pods_in_two_zones(
    deployment: AssemblyDeployment, objects: Objects
) -> None:
    def pods() -> list[Mapping[str, Any]]:
        every = listed(objects, "/api/v1/namespaces/kube-system/pods")
        return [pod for pod in every if pod["metadata"]["name"].startswith("karpenter-")]

    def waiting() -> list[Mapping[str, Any]]:
        return [pod["status"] for pod in pods() if pod["status"]["phase"] != "Running"]

    until(waiting, lambda found: not found)
    nodes = {node["metadata"]["name"]: node for node in listed(objects, "/api/v1/nodes")}
    labels = [nodes[pod["spec"]["nodeName"]]["metadata"]["labels"] for pod in pods()]
    assert {each["emr-eks/system"] for each in labels} == {"true"}
    assert len({each["topology.kubernetes.io/zone"] for each in labels}) == len(labels) == 2


def test_add_ons_have_the_requests_of_the_template(
    deployment: AssemblyDeployment, objects: Objects
) -> None:
    sets = listed(objects, "/apis/apps/v1/namespaces/kube-system/daemonsets")
    requests = {
        item["metadata"]["name"]: [
            container["resources"]["requests"]
            for container in item["spec"]["template"]["spec"]["containers"]
        ]
        for item in sets
    }
    assert requests["kube-proxy"] == [{"cpu": "100m", "memory": "64Mi"}]
    assert requests["aws-ebs-csi-driver"] == [{"cpu": "10m", "memory": "40Mi"}] * 3
    assert set(requests) == {
        "vpc-cni",
        "kube-proxy",
        "aws-ebs-csi-driver",
        "eks-pod-identity-agent",
    }
