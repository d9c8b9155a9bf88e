"""Networks with a new VPC and with an existing VPC."""

from __future__ import annotations

import pytest
from aws_cdk import aws_ec2 as ec2
from aws_cdk.assertions import Annotations, Match

from cdk_emr_eks.errors import ConfigError
from cdk_emr_eks.networks.network import ExistingNetwork, Nat, Network, NetworkSpec
from cdk_emr_eks.networks.vpc_endpoints import WITHOUT_NAT
from tests.synth.platforms.platform_parts import (
    Resources,
    add_network,
    needs,
    new_stack,
    of_type,
    resources,
    tags,
)

_EMR = "for-use-with-amazon-emr-managed-policies"
_SUBNET = "AWS::EC2::Subnet"


@pytest.fixture(scope="module")
def default() -> tuple[Network, Resources]:
    stack = new_stack()
    network = add_network(stack)
    return network, resources(stack)


@pytest.fixture(scope="module")
def isolated() -> tuple[Resources, Annotations]:
    stack = new_stack()
    add_network(stack, NetworkSpec(nat=Nat.NONE, interface_endpoints=True))
    return resources(stack), Annotations.from_stack(stack)


def test_zones_of_a_stack_without_account_are_tokens_with_literal_keys(
    default: tuple[Network, Resources],
) -> None:
    network, _ = default
    assert [zone.key for zone in network.zones] == ["zone-1", "zone-2", "zone-3"]
    assert all("${Token[" in zone.name for zone in network.zones)
    assert network.pods_per_zone == {"zone-1": 10560, "zone-2": 10560, "zone-3": 10560}
    assert len(network.node_subnets) == len(network.pod_subnets) == 3


@pytest.mark.parametrize("zones", [2, 4, 6])
def test_subnets_are_those_of_the_plan(zones: int) -> None:
    spec = NetworkSpec(zones=zones, nat=Nat.PER_ZONE, flow_logs=False)
    stack = new_stack()
    add_network(stack, spec)
    found = resources(stack)
    plan = spec.plan()
    made = {str(each["CidrBlock"]) for each in of_type(found, _SUBNET).values()}
    assert made == {str(block) for block in (*plan.public, *plan.nodes, *plan.pods)}
    kept = {
        str(each["Cidr"]) for each in of_type(found, "AWS::EC2::SubnetCidrReservation").values()
    }
    assert kept == {str(block) for blocks in plan.reserved for block in blocks}
    assert len(of_type(found, "AWS::EC2::NatGateway")) == zones
    assert not of_type(found, "AWS::EC2::FlowLog")


def test_default_plan_is_what_cdk_lays_out(default: tuple[Network, Resources]) -> None:
    _, found = default
    plan = NetworkSpec().plan()
    made = {str(each["CidrBlock"]) for each in of_type(found, _SUBNET).values()}
    assert made == {str(block) for block in (*plan.public, *plan.nodes, *plan.pods)}
    assert len(of_type(found, "AWS::EC2::NatGateway")) == 1


def test_discovery_tags_are_where_they_belong_and_nowhere_else(
    default: tuple[Network, Resources],
) -> None:
    network, found = default
    for logical, properties in of_type(found, _SUBNET).items():
        carried = tags(properties)
        assert carried[_EMR] == "true"
        assert not properties["MapPublicIpOnLaunch"]
        node = "NodeSubnet" in logical
        assert ("karpenter.sh/discovery" in carried) is node
        assert ("kubernetes.io/role/internal-elb" in carried) is node
        assert ("kubernetes.io/role/elb" in carried) is ("PublicSubnet" in logical)
        if node:
            assert carried["karpenter.sh/discovery"] == "demo"
    tagged = [
        kind
        for kind in {each["Type"] for each in found.values()} - {_SUBNET}
        for properties in of_type(found, str(kind)).values()
        if isinstance(properties.get("Tags"), list) and _EMR in tags(properties)
    ]
    assert tagged == ["AWS::EC2::VPC"]
    assert network.subnet_selector == ({"tags": {"karpenter.sh/discovery": "demo"}},)


def test_pod_subnets_wait_for_their_block_and_share_the_zones_routes(
    default: tuple[Network, Resources],
) -> None:
    _, found = default
    blocks = of_type(found, "AWS::EC2::VPCCidrBlock")
    assert [each["CidrBlock"] for each in blocks.values()] == ["100.64.0.0/16"]
    pods = [logical for logical in of_type(found, _SUBNET) if "Podszone" in logical]
    assert len(pods) == 3
    routes = [
        each
        for each in of_type(found, "AWS::EC2::SubnetRouteTableAssociation").values()
        if each["SubnetId"]["Ref"] in pods  # type: ignore[index]
    ]
    tables = {each["RouteTableId"]["Ref"] for each in routes}  # type: ignore[index]
    assert len(tables) == 3
    assert all("NodeSubnet" in table for table in tables)
    for pod in pods:
        assert set(blocks) <= needs(found, pod)
    for each in of_type(found, "AWS::EC2::SubnetCidrReservation").values():
        assert each["ReservationType"] == "prefix"


def test_s3_endpoint_serves_all_node_route_tables(default: tuple[Network, Resources]) -> None:
    _, found = default
    (endpoint,) = of_type(found, "AWS::EC2::VPCEndpoint").values()
    assert endpoint["VpcEndpointType"] == "Gateway"
    assert len(endpoint["RouteTableIds"]) == 3  # type: ignore[arg-type]


def test_flow_logs_are_encrypted_kept_and_written_by_a_narrow_role(
    default: tuple[Network, Resources],
) -> None:
    _, found = default
    (group_id, group), *rest = of_type(found, "AWS::Logs::LogGroup").items()
    assert rest == []
    assert group["LogGroupName"] == "/aws/eks/demo/flow-logs"
    assert group["RetentionInDays"] == 90
    assert "KmsKeyId" in group
    assert found[group_id]["DeletionPolicy"] == "Delete"
    (log,) = of_type(found, "AWS::EC2::FlowLog").values()
    assert log["TrafficType"] == "ALL"
    assert log["LogGroupName"] == {"Ref": group_id}
    (role,) = of_type(found, "AWS::IAM::Role").values()
    (statement,) = role["Policies"][0]["PolicyDocument"]["Statement"]  # type: ignore[index]
    assert statement["Resource"] == {"Fn::GetAtt": [group_id, "Arn"]}
    (trust,) = role["AssumeRolePolicyDocument"]["Statement"]  # type: ignore[index]
    assert trust["Condition"]["StringEquals"] == {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}
    source = trust["Condition"]["ArnLike"]["aws:SourceArn"]["Fn::Join"][1]
    assert source[-2:] == [{"Ref": "AWS::AccountId"}, ":vpc-flow-log/*"]


def test_the_key_serves_the_clusters_log_groups_only(default: tuple[Network, Resources]) -> None:
    _, found = default
    (key,) = of_type(found, "AWS::KMS::Key").values()
    assert key["EnableKeyRotation"] is True
    (statement,) = (
        each
        for each in key["KeyPolicy"]["Statement"]  # type: ignore[index]
        if each.get("Sid") == "ClusterLogs"
    )
    arn = statement["Condition"]["ArnLike"]["kms:EncryptionContext:aws:logs:arn"]
    assert arn["Fn::Join"][1][-1] == ":log-group:/aws/eks/demo/*"


def test_nothing_of_the_network_needs_a_lambda(default: tuple[Network, Resources]) -> None:
    _, found = default
    assert not of_type(found, "AWS::Lambda::Function")


def test_without_nat_all_services_have_endpoints_with_one_narrow_group(
    isolated: tuple[Resources, Annotations],
) -> None:
    found, _ = isolated
    assert not of_type(found, "AWS::EC2::NatGateway")
    assert not of_type(found, "AWS::EC2::InternetGateway")
    interfaces = [
        each
        for each in of_type(found, "AWS::EC2::VPCEndpoint").values()
        if each["VpcEndpointType"] == "Interface"
    ]
    assert len(interfaces) == len(WITHOUT_NAT)
    assert all(each["PrivateDnsEnabled"] for each in interfaces)
    (group,) = of_type(found, "AWS::EC2::SecurityGroup").values()
    rules = group["SecurityGroupIngress"]
    assert [(rule["CidrIp"], rule["FromPort"]) for rule in rules] == [  # type: ignore[attr-defined]
        ("10.0.0.0/16", 443),
        ("100.64.0.0/16", 443),
    ]


def test_the_cost_of_endpoints_is_said(
    isolated: tuple[Resources, Annotations],
) -> None:
    _, notes = isolated
    notes.has_warning("*", Match.string_like_regexp(r"13 interface endpoints in 3 zones are 39 "))


def test_with_nat_only_the_basic_services_have_endpoints() -> None:
    stack = new_stack("eu-west-1")
    add_network(stack, NetworkSpec(interface_endpoints=True))
    endpoints = of_type(resources(stack), "AWS::EC2::VPCEndpoint").values()
    services = {
        str(each["ServiceName"]).removeprefix("com.amazonaws.eu-west-1.")
        for each in endpoints
        if each["VpcEndpointType"] == "Interface"
    }
    assert services == {"ecr.api", "ecr.dkr", "sts", "logs", "emr-containers"}
    assert [each["VpcEndpointType"] for each in endpoints].count("Gateway") == 1


def test_named_zones_are_their_own_keys() -> None:
    stack = new_stack("eu-west-1")
    network = add_network(stack, NetworkSpec(zones=("eu-west-1a", "eu-west-1c")))
    assert [zone.key for zone in network.zones] == ["eu-west-1a", "eu-west-1c"]
    found = of_type(resources(stack), _SUBNET)
    assert {str(each["AvailabilityZone"]) for each in found.values()} == {
        "eu-west-1a",
        "eu-west-1c",
    }


def test_zones_of_another_region_are_refused() -> None:
    with pytest.raises(ConfigError) as caught:
        add_network(new_stack("eu-west-1"), NetworkSpec(zones=("us-east-1a", "us-east-1b")))
    assert str(caught.value) == (
        "NetworkSpec of Platform/demo-network: zones must be of the stack's region eu-west-1, "
        "got ('us-east-1a', 'us-east-1b')."
    )


def _imported(stack: object, zones: list[str]) -> ec2.IVpc:
    return ec2.Vpc.from_vpc_attributes(
        stack,  # type: ignore[arg-type]
        "Imported",
        vpc_id="vpc-1",
        availability_zones=zones,
        public_subnet_ids=[f"subnet-public-{n}" for n in range(len(zones))],
        private_subnet_ids=[f"subnet-{n}" for n in range(len(zones))],
    )


def test_imported_vpc_is_used_by_subnet_ids_and_its_missing_tags_are_said() -> None:
    stack = new_stack()
    vpc = _imported(stack, ["eu-west-1a", "eu-west-1b"])
    network = add_network(stack, ExistingNetwork(vpc=vpc))
    assert network.subnet_selector == ({"id": "subnet-0"}, {"id": "subnet-1"})
    assert [zone.key for zone in network.zones] == ["eu-west-1a", "eu-west-1b"]
    assert network.pod_subnets == ()
    assert network.pods_per_zone == {}
    Annotations.from_stack(stack).has_warning(
        "/Platform/demo-network", Match.string_like_regexp("on: subnet-0, subnet-1")
    )


def test_imported_zones_may_be_tokens() -> None:
    stack = new_stack()
    vpc = ec2.Vpc(stack, "Vpc", max_azs=2)
    network = add_network(stack, ExistingNetwork(vpc=vpc))
    assert [zone.key for zone in network.zones] == ["zone-1", "zone-2"]
    assert len({zone.name for zone in network.zones}) == 2
    # A VPC of the same app can be tagged.
    nodes = [each for name, each in of_type(resources(stack), _SUBNET).items() if "Private" in name]
    assert len(nodes) == 2
    assert all(tags(each)["kubernetes.io/role/internal-elb"] == "1" for each in nodes)
    Annotations.from_stack(stack).has_no_warning("*", Match.any_value())


def test_imported_vpc_in_one_zone_is_refused() -> None:
    stack = new_stack()
    vpc = _imported(stack, ["eu-west-1a"])
    with pytest.raises(
        ConfigError, match=r"node_subnets must be in at least 2 zones, got 'eu-west-1a'"
    ):
        add_network(stack, ExistingNetwork(vpc=vpc))


def test_public_subnets_for_nodes_are_refused() -> None:
    stack = new_stack()
    vpc = _imported(stack, ["eu-west-1a", "eu-west-1b"])
    chosen = ec2.SubnetSelection(subnet_type=ec2.SubnetType.PUBLIC)
    with pytest.raises(
        ConfigError, match=r"node_subnets must be private subnets, got 'subnet-public-0"
    ):
        add_network(stack, ExistingNetwork(vpc=vpc, node_subnets=chosen))


def _pod_subnet(stack: object, zone: str) -> ec2.ISubnet:
    return ec2.Subnet.from_subnet_attributes(
        stack,  # type: ignore[arg-type]
        f"pods-{zone}",
        subnet_id=f"subnet-pods-{zone}",
        availability_zone=zone,
    )


def test_imported_pod_subnets_come_in_the_order_of_the_zones() -> None:
    stack = new_stack()
    vpc = _imported(stack, ["eu-west-1a", "eu-west-1b"])
    pods = [_pod_subnet(stack, zone) for zone in ("eu-west-1b", "eu-west-1a")]
    network = add_network(
        stack, ExistingNetwork(vpc=vpc, pod_subnets=ec2.SubnetSelection(subnets=pods))
    )
    assert [subnet.availability_zone for subnet in network.pod_subnets] == [
        "eu-west-1a",
        "eu-west-1b",
    ]


@pytest.mark.parametrize(
    ("zones", "given"),
    [(("eu-west-1a",), "eu-west-1a"), (("eu-west-1a", "eu-west-1c"), "eu-west-1a, eu-west-1c")],
)
def test_pod_subnets_that_miss_a_zone_are_refused(zones: tuple[str, ...], given: str) -> None:
    stack = new_stack()
    vpc = _imported(stack, ["eu-west-1a", "eu-west-1b"])
    pods = ec2.SubnetSelection(subnets=[_pod_subnet(stack, zone) for zone in zones])
    with pytest.raises(ConfigError) as caught:
        add_network(stack, ExistingNetwork(vpc=vpc, pod_subnets=pods))
    assert str(caught.value) == (
        "ExistingNetwork of Platform/demo-network: pod_subnets must be one in each zone of the "
        f"node subnets (eu-west-1a, eu-west-1b), got {given!r}."
    )
