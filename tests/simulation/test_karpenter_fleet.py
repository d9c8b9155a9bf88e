"""Karpenter's real controllers with the simulated EC2 fleet."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any, Final

import pytest
import yaml
from kubernetes import client
from kubernetes.utils.quantity import parse_quantity

from cdk_emr_eks.model.instances.instances import MAX_PODS, Instances, allocatable
from cdk_emr_eks.model.nodes.node_class import NVME
from cdk_emr_eks.simulation.aws.emulated import EmulatedAws
from cdk_emr_eks.simulation.control_plane.karpenter import Fleet, KarpenterLaunch
from cdk_emr_eks.simulation.control_plane.plane import Plane
from cdk_emr_eks.simulation.deploy.objects import Objects
from cdk_emr_eks.simulation.errors import SimulationUnavailable
from cdk_emr_eks.simulation.programs.binaries import Binaries, binaries
from cdk_emr_eks.simulation.run import wait_for_pools
from tests.simulation.waiting import until

CLUSTER: Final = "test"
ZONES: Final = ("us-east-1a", "us-east-1b")
ACCOUNT: Final = ("kube-system", "karpenter")
TYPES: Final = Instances(families=("m6gd", "m7gd", "m6id"), sizes=("4xlarge", "8xlarge"))
CAPACITY: Final = "karpenter.sh/capacity-type"
ZONE: Final = "topology.kubernetes.io/zone"
ARCH: Final = "kubernetes.io/arch"
NO_LABELS: Final[Mapping[str, str]] = {}
TYPE: Final = "node.kubernetes.io/instance-type"


@dataclass(frozen=True)
class FleetControl:
    """A control plane with Karpenter, one pool in two zones, and no pods."""

    plane: Plane
    api: client.ApiClient

    @property
    def core(self) -> Any:
        return client.CoreV1Api(self.api)

    @property
    def claims(self) -> list[dict[str, Any]]:
        custom: Any = client.CustomObjectsApi(self.api)
        found = custom.list_cluster_custom_object("karpenter.sh", "v1", "nodeclaims")
        return list(found["items"])

    @property
    def nodes(self) -> dict[str, Any]:
        return {
            node.spec.provider_id.rpartition("/")[2]: node for node in self.core.list_node().items
        }

    def run(self, name: str, cpu: int = 10, selector: Mapping[str, str] = NO_LABELS) -> None:
        main = {"name": "main", "image": "none", "resources": {"requests": {"cpu": str(cpu)}}}
        spec = {"containers": [main], "nodeSelector": {"pool": "test", **selector}}
        self.core.create_namespaced_pod("default", {"metadata": {"name": name}, "spec": spec})

    def node_of(self, name: str) -> Any:
        """Wait until a pod runs and return its node."""
        until(lambda: self.pod(name).status.phase, lambda phase: phase == "Running")
        return self.core.read_node(self.pod(name).spec.node_name)

    def pod(self, name: str) -> Any:
        return self.core.read_namespaced_pod(name, "default")

    def launched(self) -> list[str]:
        """Ids of the instances of all claims."""
        ids = (claim.get("status", {}).get("providerID", "") for claim in self.claims)
        return [each.rpartition("/")[2] for each in ids if each]

    def clear(self) -> None:
        """Delete pods, claims and nodes immediately: draining a node takes ten seconds."""
        self.core.delete_collection_namespaced_pod("default", grace_period_seconds=0)
        self.plane.fleet.reclaim(self.launched())
        objects = Objects(self.api)
        for path in ("/apis/karpenter.sh/v1/nodeclaims", "/api/v1/nodes"):
            until(partial(_deleted, objects, path), lambda left: not left)

    def await_log(self, text: str) -> None:
        """Wait until Karpenter has logged a text."""
        until(self.plane.logs("karpenter").read_text, lambda said: text in said)


def _deleted(objects: Objects, path: str) -> list[str]:
    """Delete all objects and their finalizers; return their names."""
    # Deleted first: Karpenter would add its finalizer again to objects that are not.
    objects.request("DELETE", path)
    items: Any = objects.request("GET", path)[0]["items"]
    names = [item["metadata"]["name"] for item in items]
    for name in names:
        with suppress(client.ApiException):  # already deleted
            objects.request("PATCH", f"{path}/{name}", body={"metadata": {"finalizers": None}})
    return names


def amount(quantity: str) -> Decimal:
    return Decimal(parse_quantity(quantity))  # type: ignore[no-untyped-call]


def account(aws: EmulatedAws) -> None:
    ec2, iam = aws.client("ec2"), aws.client("iam")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    tags = [{"Key": "karpenter.sh/discovery", "Value": CLUSTER}]
    made = []
    for index, zone in enumerate(ZONES):
        block = f"10.0.{index}.0/24"
        subnet = ec2.create_subnet(VpcId=vpc, CidrBlock=block, AvailabilityZone=zone)["Subnet"]
        made.append(subnet["SubnetId"])
    group = ec2.create_security_group(GroupName="nodes", Description="nodes", VpcId=vpc)["GroupId"]
    ec2.create_tags(Resources=[*made, group], Tags=tags)
    document = json.dumps({"Version": "2012-10-17", "Statement": []})
    role = iam.create_role(RoleName="nodes", AssumeRolePolicyDocument=document)["Role"]["Arn"]
    network = {"subnetIds": made, "securityGroupIds": [group]}
    aws.client("eks").create_cluster(
        name=CLUSTER, version="1.36", roleArn=role, resourcesVpcConfig=network
    )


def pool() -> dict[str, Any]:
    wanted = {
        "karpenter.k8s.aws/instance-family": TYPES.families,
        "karpenter.k8s.aws/instance-size": TYPES.sizes,
        ARCH: ("amd64", "arm64"),
        CAPACITY: ("spot", "on-demand"),
        ZONE: ZONES,
    }
    requirements = [{"key": k, "operator": "In", "values": list(v)} for k, v in wanted.items()]
    reference = {"group": "karpenter.k8s.aws", "kind": "EC2NodeClass", "name": NVME.name}
    template = {
        "metadata": {"labels": {"pool": "test"}},
        "spec": {"nodeClassRef": reference, "requirements": requirements},
    }
    spec = {
        "template": template,
        "disruption": {"consolidationPolicy": "WhenEmpty", "consolidateAfter": "Never"},
    }
    return {
        "apiVersion": "karpenter.sh/v1",
        "kind": "NodePool",
        "metadata": {"name": "test"},
        "spec": spec,
    }


def objects(api: client.ApiClient, programs: Binaries) -> None:
    extensions: Any = client.ApiextensionsV1Api(api)
    command = [str(programs.helm), "template", str(programs.charts / "karpenter-crd")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    for each in yaml.safe_load_all(done.stdout):
        extensions.create_custom_resource_definition(each)
    namespace, name = ACCOUNT
    core: Any = client.CoreV1Api(api)
    core.create_namespaced_service_account(namespace, {"metadata": {"name": name}})
    access: Any = client.RbacAuthorizationV1Api(api)
    subject = {"kind": "ServiceAccount", "name": name, "namespace": namespace}
    reference = {
        "kind": "ClusterRole",
        "name": "cluster-admin",
        "apiGroup": "rbac.authorization.k8s.io",
    }
    binding = {"metadata": {"name": name}, "subjects": [subject], "roleRef": reference}
    access.create_cluster_role_binding(binding)
    custom: Any = client.CustomObjectsApi(api)

    def established() -> bool:
        try:
            custom.create_cluster_custom_object("karpenter.sh", "v1", "nodepools", pool())
        except client.ApiException as error:
            return bool(error.status == 409)
        return True

    until(established)
    node_class = NVME.manifest(cluster_name=CLUSTER, role="nodes")
    body = json.loads(json.dumps(node_class))
    custom.create_cluster_custom_object("karpenter.k8s.aws", "v1", "ec2nodeclasses", body)


@pytest.fixture(scope="module")
def everything(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FleetControl]:
    try:
        programs = binaries()
    except SimulationUnavailable as error:
        pytest.skip(error.reason)
    folder = tmp_path_factory.mktemp("fleet")
    with Plane(programs, directory=folder) as plane, EmulatedAws(programs.prices) as aws:
        account(aws)
        with plane.client() as api:
            objects(api, programs)
            env = {
                **aws.environment,
                "CLUSTER_NAME": CLUSTER,
                "CLUSTER_ENDPOINT": plane.server,
                "CLUSTER_CA_BUNDLE": plane.ca_bundle,
                "EKS_CONTROL_PLANE": "true",
                "SYSTEM_NAMESPACE": ACCOUNT[0],
                "DISABLE_LEADER_ELECTION": "true",
                "BATCH_IDLE_DURATION": "200ms",
            }
            aws.offer_families(TYPES.families)
            plane.start_karpenter(KarpenterLaunch(args=(), env=env, service_account=ACCOUNT))
            assert wait_for_pools(plane) == ()
            yield FleetControl(plane, api)
        plane.check()


@pytest.fixture
def control(everything: FleetControl) -> Iterator[FleetControl]:
    """No pods, no nodes, and a fleet with all capacity that boots immediately."""
    fleet = everything.plane.fleet
    fleet.boot(0)
    yield everything
    fleet.restore()
    fleet.allow_registration()
    everything.clear()


def test_nodes_have_the_capacity_that_the_library_assumes(control: FleetControl) -> None:
    types = {each.name: each for each in TYPES.types()}
    control.run("arm", selector={ARCH: "arm64"})
    control.run("intel", 20, {ARCH: "amd64"})
    for name in ("arm", "intel"):
        node = control.node_of(name)
        found, expected = node.status.allocatable, allocatable(types[node.metadata.labels[TYPE]])
        assert amount(found["cpu"]) * 1000 == expected.cpu.millicores
        assert amount(found["memory"]) // 2**20 == expected.memory.mib
        assert int(found["pods"]) == MAX_PODS
        assert node.metadata.labels[CAPACITY] == "spot", "the cheapest"


def test_exhausted_capacity_is_not_launched(control: FleetControl) -> None:
    fleet = control.plane.fleet
    spot = {CAPACITY: "spot", ZONE: ZONES[0]}
    control.run("first", selector=spot)
    first = control.node_of("first").metadata.labels[TYPE].partition(".")[0]
    fleet.exhaust(zone=ZONES[0], capacity_type="spot", family=first)
    control.run("second", 14, spot)
    labels = control.node_of("second").metadata.labels
    assert (labels[ZONE], labels[CAPACITY]) == (ZONES[0], "spot")
    assert labels[TYPE].partition(".")[0] != first
    fleet.exhaust(zone=ZONES[0])
    control.run("third", 31, spot)  # fits on no existing node
    control.run("elsewhere", 31)
    assert control.node_of("elsewhere").metadata.labels[ZONE] == ZONES[1]
    control.await_log("InsufficientInstanceCapacity")
    assert control.pod("third").status.phase == "Pending"


def test_an_instance_that_never_registers_is_replaced(control: FleetControl) -> None:
    control.plane.fleet.block_registration()
    control.run("waits")
    (mute,) = until(control.launched)
    control.await_log("instance never registers")
    assert control.nodes == {}
    control.plane.fleet.allow_registration()
    (claim,) = control.claims
    for condition in claim["status"]["conditions"]:
        if condition["type"] == "Registered":
            condition["lastTransitionTime"] = "2020-01-01T00:00:00Z"
    custom: Any = client.CustomObjectsApi(control.api)
    name = claim["metadata"]["name"]
    custom.replace_cluster_custom_object_status("karpenter.sh", "v1", "nodeclaims", name, claim)
    assert mute not in control.node_of("waits").spec.provider_id


def test_instances_survive_a_crash_of_karpenter(control: FleetControl) -> None:
    control.run("runs")
    before = control.node_of("runs").metadata.name
    control.plane.fleet.boot(3600)
    control.run("boots", 14)
    launched = until(lambda: set(control.launched()), lambda found: len(found) == 2)
    assert set(control.nodes) < launched
    control.plane.restart("karpenter")
    # The booting instance registers, and no instance is launched twice.
    control.node_of("boots")
    assert set(control.launched()) == launched == set(control.nodes)
    assert control.node_of("runs").metadata.name == before


def test_a_reclaimed_instance_is_replaced(control: FleetControl) -> None:
    control.run("driver")
    lost = control.node_of("driver").spec.provider_id.rpartition("/")[2]
    control.plane.fleet.reclaim([lost])
    until(lambda: {*control.nodes, *control.launched()}, lambda there: lost not in there)
    # Its pod is deleted, too, as with any deleted node; the next pod gets a new instance.
    until(lambda: control.core.list_namespaced_pod("default").items, lambda found: not found)
    control.run("driver")
    assert lost not in control.node_of("driver").spec.provider_id


def test_orders_are_complete_and_add_up(tmp_path: Path) -> None:
    fleet = Fleet(tmp_path)
    orders = tmp_path / "orders.json"
    assert json.loads(orders.read_text())["bootSeconds"] == 30
    fleet.exhaust(zone="a")
    fleet.exhaust(capacity_type="spot", family="m7g")
    fleet.reclaim(["i-1", "i-2"])
    found = json.loads(orders.read_text())
    assert found["exhausted"] == [{"zone": "a"}, {"capacityType": "spot", "family": "m7g"}]
    assert found["reclaimed"] == ["i-1", "i-2"]
    fleet.restore()
    assert json.loads(orders.read_text())["exhausted"] == []
    with pytest.raises(ValueError, match="-1"):
        fleet.boot(-1)
    assert [path.name for path in tmp_path.iterdir()] == ["orders.json"]
