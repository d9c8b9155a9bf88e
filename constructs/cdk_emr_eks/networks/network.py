"""The platform's network: a new VPC or an existing one."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from aws_cdk import Annotations, Fn, Stack, Tags, Token
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_kms as kms
from constructs import Construct, DependencyGroup, IDependable

from cdk_emr_eks import labels
from cdk_emr_eks.checks import Check
from cdk_emr_eks.errors import refuse
from cdk_emr_eks.model.namespaces.tenant_network import ClusterNetwork
from cdk_emr_eks.model.networks.network import Nat, NetworkSpec
from cdk_emr_eks.model.networks.zones import Zone
from cdk_emr_eks.networks.flow_logs import FlowLogs
from cdk_emr_eks.networks.lookups import is_placeholder
from cdk_emr_eks.networks.pod_subnets import PodSubnets
from cdk_emr_eks.networks.vpc_endpoints import VpcEndpoints
from cdk_emr_eks.values import value

__all__ = ["ExistingNetwork", "Nat", "Network", "NetworkSpec"]

# Source: https://docs.aws.amazon.com/eks/latest/userguide/network-load-balancing.html
_INTERNAL_BALANCER = "kubernetes.io/role/internal-elb"
_PUBLIC_BALANCER = "kubernetes.io/role/elb"


@value
class ExistingNetwork:
    """An existing VPC, with the subnets that the platform uses.

    Node classes select the subnets by id, so the subnets need no tag for Karpenter. Load balancers
    need a tag: the library adds it if the app has the VPC, and a warning names it for an imported
    VPC.

    Args:
        vpc: The VPC. It needs DNS support, DNS host names, and a route to AWS's services.
        node_subnets: Subnets of nodes and of the control plane's interfaces, in at least 2 zones.
            None: all private subnets.
        pod_subnets: Subnets of pods, one in each zone of ``node_subnets``. None: pods share the
            node subnets.

    Raises:
        ConfigError: If a value is of another type, such as the id of a VPC.
    """

    vpc: ec2.IVpc
    node_subnets: ec2.SubnetSelection | None = None
    pod_subnets: ec2.SubnetSelection | None = None


class Network(Construct):
    """Zones and subnets of the platform.

    Resources: none for an existing VPC. For a new one the VPC, subnets, route tables and NAT
    gateways, an S3 gateway endpoint, and the options of ``NetworkSpec``.

    Args:
        spec: The new or existing network.
        cluster_name: Literal name of the cluster.
        key: Encrypts the flow logs' log group.

    Attributes:
        vpc: The VPC.
        zones: Its zones that have node subnets.
        node_subnets: Subnets of nodes.
        pod_subnets: Subnets of pods in the order of ``zones``; empty where pods share the node
            subnets.
        pods_per_zone: Pods that fit into each zone's pod subnet, by the zone's key; empty for an
            existing VPC, whose subnets can have other users.
        subnet_selector: Selector of the node subnets for Karpenter's node classes: by tag in a new
            VPC, by id in an existing one.
        ranges: Address ranges of nodes and pods; unknown for an existing VPC.
        ready: Dependency of the cluster and its nodes, in addition to the VPC.

    Raises:
        ConfigError: If a zone is not in the stack's region, an existing VPC's subnets are public or
            in fewer than two zones, or not every zone has exactly one pod subnet.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        spec: NetworkSpec | ExistingNetwork,
        cluster_name: str,
        key: kms.IKey,
    ) -> None:
        super().__init__(scope, id)
        self.vpc: ec2.IVpc
        self.zones: tuple[Zone, ...]
        self.node_subnets: tuple[ec2.ISubnet, ...]
        self.pod_subnets: tuple[ec2.ISubnet, ...]
        self.pods_per_zone: Mapping[str, int]
        self.subnet_selector: tuple[Mapping[str, object], ...]
        self.ranges: ClusterNetwork
        self.ready: IDependable
        if isinstance(spec, ExistingNetwork):
            self._import_vpc(spec)
        else:
            self.ranges = ClusterNetwork(vpc_cidrs=(spec.cidr,), pod_cidrs=(spec.pod_cidr,))
            self._create_vpc(spec, cluster_name, key)

    def _create_vpc(self, spec: NetworkSpec, cluster_name: str, key: kms.IKey) -> None:
        count = spec.zone_count
        names = spec.zones
        region = Stack.of(self).region
        if isinstance(names, int):
            found = Fn.get_azs()
            names = tuple(Fn.select(index, found) for index in range(count))
            self.zones = tuple(Zone(key=f"zone-{n}", name=z) for n, z in enumerate(names, 1))
        else:
            if not (Token.is_unresolved(region) or names[0].startswith(region)):
                rule = f"must be of the stack's region {region}"
                raise refuse(f"NetworkSpec of {self.node.path}", "zones", rule, names)
            self.zones = tuple(Zone.named(name) for name in names)
        vpc = ec2.Vpc(
            self,
            "Vpc",
            ip_addresses=ec2.IpAddresses.cidr(spec.cidr),
            availability_zones=list(names),
            subnet_configuration=_subnet_configuration(spec),
            nat_gateways={Nat.ONE: 1, Nat.PER_ZONE: count, Nat.NONE: 0}[spec.nat],
            # The CDK would empty the default security group with a Lambda. Nothing uses that group.
            restrict_default_security_group=False,
        )
        self.vpc = vpc
        nodes = vpc.isolated_subnets if spec.nat is Nat.NONE else vpc.private_subnets
        self.node_subnets = tuple(nodes)
        pods = PodSubnets(
            self,
            "Pods",
            vpc=vpc,
            spec=spec,
            zones=self.zones,
            node_subnets=self.node_subnets,
        )
        self.pod_subnets = pods.subnets
        figure = spec.pods_per_zone()
        self.pods_per_zone = MappingProxyType({zone.key: figure for zone in self.zones})
        self.subnet_selector = ({"tags": {labels.DISCOVERY: cluster_name}},)
        endpoints = VpcEndpoints(self, "Endpoints", vpc=vpc, spec=spec, subnets=self.node_subnets)
        if spec.flow_logs:
            FlowLogs(
                self,
                "FlowLogs",
                vpc=vpc,
                cluster_name=cluster_name,
                key=key,
                days=spec.flow_log_days,
            )
        self._tag(vpc, cluster_name)
        self.ready = DependencyGroup(pods, endpoints)

    def _tag(self, vpc: ec2.Vpc, cluster_name: str) -> None:
        kinds = ["AWS::EC2::VPC", "AWS::EC2::Subnet"]
        Tags.of(self).add(labels.EMR_MANAGED_TAG, "true", include_resource_types=kinds)
        for subnet in self.node_subnets:
            tags = Tags.of(subnet)
            tags.add(labels.DISCOVERY, cluster_name, include_resource_types=kinds)
            tags.add(_INTERNAL_BALANCER, "1", include_resource_types=kinds)
        for subnet in vpc.public_subnets:
            Tags.of(subnet).add(_PUBLIC_BALANCER, "1", include_resource_types=kinds)

    def _import_vpc(self, spec: ExistingNetwork) -> None:
        self.vpc = spec.vpc
        nodes = _selected(spec.vpc, spec.node_subnets)
        by_zone: dict[str, list[ec2.ISubnet]] = {}
        for subnet in nodes:
            by_zone.setdefault(subnet.availability_zone, []).append(subnet)
        check = Check(f"ExistingNetwork of {self.node.path}")
        rule = "must be in at least 2 zones"
        check.require(len(by_zone) >= 2, "node_subnets", rule, ", ".join(by_zone) or "none")
        public = {subnet.subnet_id for subnet in spec.vpc.public_subnets}
        exposed = [subnet.subnet_id for subnet in nodes if subnet.subnet_id in public]
        rule = "must be private subnets"
        check.require(not exposed, "node_subnets", rule, ", ".join(exposed))
        pods = () if spec.pod_subnets is None else _selected(spec.vpc, spec.pod_subnets)
        pods_by_zone = {subnet.availability_zone: subnet for subnet in pods}
        if spec.pod_subnets is not None:
            fits = len(pods) == len(pods_by_zone) and set(pods_by_zone) == set(by_zone)
            rule = f"must be one in each zone of the node subnets ({', '.join(by_zone)})"
            given = ", ".join(subnet.availability_zone for subnet in pods) or "none"
            check.require(fits, "pod_subnets", rule, given)
        check.raise_if_any()
        self.node_subnets = nodes
        self.zones = tuple(
            Zone(key=f"zone-{n}", name=name) if Token.is_unresolved(name) else Zone.named(name)
            for n, name in enumerate(by_zone, 1)
        )
        self.pod_subnets = tuple(pods_by_zone[name] for name in by_zone) if pods else ()
        self.pods_per_zone = MappingProxyType({})
        self.ranges = ClusterNetwork()
        self.subnet_selector = tuple({"id": subnet.subnet_id} for subnet in nodes)
        self.ready = DependencyGroup()
        self._tag_or_warn(nodes)

    def _tag_or_warn(self, nodes: tuple[ec2.ISubnet, ...]) -> None:
        foreign = [subnet for subnet in nodes if not ec2.Subnet.is_vpc_subnet(subnet)]
        for subnet in nodes:
            if subnet not in foreign:
                Tags.of(subnet).add(_INTERNAL_BALANCER, "1")
                Tags.of(subnet).add(labels.EMR_MANAGED_TAG, "true")
        if foreign:
            ids = ", ".join(subnet.subnet_id for subnet in foreign)
            Annotations.of(self).add_warning_v2(
                "cdk-emr-eks:untagged-subnets",
                f"The library cannot tag imported subnets. Internal load balancers need the tag "
                f"{_INTERNAL_BALANCER}=1, an EMR Studio of another app needs the tag "
                f"{labels.EMR_MANAGED_TAG}=true on: {ids}",
            )


def _subnet_configuration(spec: NetworkSpec) -> list[ec2.SubnetConfiguration]:
    plan = spec.plan()
    isolated = spec.nat is Nat.NONE
    nodes = ec2.SubnetConfiguration(
        name="Node",
        subnet_type=ec2.SubnetType.PRIVATE_ISOLATED
        if isolated
        else ec2.SubnetType.PRIVATE_WITH_EGRESS,
        cidr_mask=plan.nodes[0].prefixlen,
    )
    if isolated:
        return [nodes]
    public = ec2.SubnetConfiguration(
        name="Public",
        subnet_type=ec2.SubnetType.PUBLIC,
        cidr_mask=plan.public[0].prefixlen,
        map_public_ip_on_launch=False,
    )
    return [public, nodes]


def _selected(vpc: ec2.IVpc, chosen: ec2.SubnetSelection | None) -> tuple[ec2.ISubnet, ...]:
    if chosen is None or is_placeholder(vpc):
        return tuple(vpc.private_subnets)
    found = vpc.select_subnets(
        availability_zones=chosen.availability_zones,
        one_per_az=chosen.one_per_az,
        subnet_filters=chosen.subnet_filters,
        subnet_group_name=chosen.subnet_group_name,
        subnets=chosen.subnets,
        subnet_type=chosen.subnet_type,
    )
    return tuple(found.subnets)
