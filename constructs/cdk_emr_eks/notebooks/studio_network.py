"""The subnets of an EMR Studio, and its security groups."""

from __future__ import annotations

from typing import Final, Self

from aws_cdk import Tags
from aws_cdk import aws_ec2 as ec2
from constructs import Construct

from cdk_emr_eks.checks import Check
from cdk_emr_eks.labels import EMR_MANAGED_TAG
from cdk_emr_eks.model.notebooks.studio import MAX_SUBNETS, GitAccess, is_prefix_list
from cdk_emr_eks.networks.lookups import is_placeholder
from cdk_emr_eks.networks.network import Network
from cdk_emr_eks.values import value

# Port on which workspaces reach a gateway of notebooks.
# Source: https://docs.aws.amazon.com/emr/latest/ManagementGuide/emr-studio-security-groups.html
NOTEBOOK_PORT: Final = 18888
_HTTPS: Final = 443


@value
class StudioNetwork:
    """VPC and subnets of a Studio: those of the cluster whose endpoints it uses.

    EMR shows an endpoint in the Studio only if Studio and cluster have a private subnet in common.
    Subnets can be added to a Studio later, but not removed.

    Args:
        vpc: VPC of the cluster.
        subnets: 1 to 5 private subnets of the VPC, in the order of preference.

    Raises:
        ConfigError: If the number of subnets is wrong, or a subnet is repeated or public.

    Source: https://docs.aws.amazon.com/emr/latest/EMR-on-EKS-DevelopmentGuide/prereqs-for-studio.html
    """

    vpc: ec2.IVpc
    subnets: tuple[ec2.ISubnet, ...]

    def _rules(self, check: Check) -> None:
        if is_placeholder(self.vpc):
            return
        ids = [subnet.subnet_id for subnet in self.subnets]
        rule = f"must be 1 to {MAX_SUBNETS} different subnets"
        fits = 1 <= len(set(ids)) == len(ids) <= MAX_SUBNETS
        check.require(fits, "subnets", rule, ", ".join(ids) or "none")
        public = {subnet.subnet_id for subnet in self.vpc.public_subnets} & set(ids)
        rule = "must be private: the network interface of a workspace has no public address"
        check.require(not public, "subnets", rule, ", ".join(sorted(public)))

    @classmethod
    def of(cls, network: Network) -> Self:
        """Return node subnets of a platform: one of each zone first, at most five.

        A Studio supports five subnets. The network interfaces of workspaces need few addresses.

        Args:
            network: ``EmrEksCluster.network``. An imported cluster has none.
        """
        first: dict[str, ec2.ISubnet] = {}
        rest: list[ec2.ISubnet] = []
        for subnet in network.node_subnets:
            zone = subnet.availability_zone
            if zone in first:
                rest.append(subnet)
            else:
                first[zone] = subnet
        return cls(vpc=network.vpc, subnets=(*first.values(), *rest)[:MAX_SUBNETS])


class StudioSecurityGroups(Construct):
    """Create the two security groups of a Studio, with the rules that EMR documents only.

    - The group of the workspaces accepts no connections. It opens connections to the engine group
      on port 18888, and to Git on port 443 if ``git`` is given.
    - The engine group accepts connections from the workspaces on port 18888 and opens none. It is
      for clusters on EC2, but a Studio requires it.

    Resources: two ``AWS::EC2::SecurityGroup`` and an ``AWS::EC2::SecurityGroupIngress``.

    Args:
        vpc: The Studio's VPC.
        studio: Name of the Studio, for the groups' tags ``Name``.
        git: Git services that workspaces may reach. None: none.

    Attributes:
        engine: The engine group.
        workspace: The group of the workspaces.

    Source: https://docs.aws.amazon.com/emr/latest/ManagementGuide/emr-studio-security-groups.html
    """

    def __init__(
        self, scope: Construct, id: str, *, vpc: ec2.IVpc, studio: str, git: GitAccess | None
    ) -> None:
        super().__init__(scope, id)
        # Without an egress rule EC2 adds one that allows all traffic. The CDK therefore writes one
        # that allows none.
        engine = ec2.SecurityGroup(
            self,
            "Engine",
            vpc=vpc,
            description="Engine of an EMR Studio",
            allow_all_outbound=False,
        )
        rules = [_to_engine(engine), *(_to_git(each) for each in (git.destinations if git else ()))]
        # L1: the CDK's construct drops its rule as soon as it has a rule to another group, and
        # writes the rule to the group as a separate resource.
        workspace = ec2.CfnSecurityGroup(
            self,
            "Workspace",
            group_description="Workspaces of an EMR Studio",
            vpc_id=vpc.vpc_id,
            security_group_egress=rules,
        )
        self.engine: ec2.ISecurityGroup = engine
        self.workspace: ec2.ISecurityGroup = ec2.SecurityGroup.from_security_group_id(
            self, "WorkspaceGroup", workspace.attr_group_id, allow_all_outbound=False
        )
        self.engine.add_ingress_rule(self.workspace, ec2.Port.tcp(NOTEBOOK_PORT), "From workspaces")
        Tags.of(self).add(EMR_MANAGED_TAG, "true")
        # In tags: a changed description replaces the group, and that replaces the Studio.
        Tags.of(engine).add("Name", f"{studio} engine")
        Tags.of(workspace).add("Name", f"{studio} workspaces")


class EndpointConnection(Construct):
    """Let the workspaces of a Studio reach one managed endpoint only.

    EMR creates a security group for the load balancer of each endpoint. The egress rule is on the
    group of the workspaces, the ingress rule on the group of the endpoint. Both are deleted before
    the endpoint.

    Resources: an ``AWS::EC2::SecurityGroupEgress`` and an ``AWS::EC2::SecurityGroupIngress``.

    Args:
        workspace: The group of the workspaces.
        endpoint_security_group_id: The group of the endpoint: the attribute ``SecurityGroup`` of
            ``AWS::EMRContainers::Endpoint``.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        workspace: ec2.ISecurityGroup,
        endpoint_security_group_id: str,
    ) -> None:
        super().__init__(scope, id)
        source = workspace.security_group_id
        # L1: the CDK would put the egress rule into the stack of the Studio. Both rules are in the
        # stack of the endpoint, so that the Studio's stack does not depend on endpoints.
        ec2.CfnSecurityGroupEgress(
            self,
            "Out",
            group_id=source,
            ip_protocol="tcp",
            from_port=NOTEBOOK_PORT,
            to_port=NOTEBOOK_PORT,
            destination_security_group_id=endpoint_security_group_id,
            description="To an endpoint",
        )
        ec2.CfnSecurityGroupIngress(
            self,
            "In",
            group_id=endpoint_security_group_id,
            ip_protocol="tcp",
            from_port=NOTEBOOK_PORT,
            to_port=NOTEBOOK_PORT,
            source_security_group_id=source,
            description="From workspaces of a Studio",
        )


def _to_engine(engine: ec2.SecurityGroup) -> ec2.CfnSecurityGroup.EgressProperty:
    return ec2.CfnSecurityGroup.EgressProperty(
        ip_protocol="tcp",
        from_port=NOTEBOOK_PORT,
        to_port=NOTEBOOK_PORT,
        destination_security_group_id=engine.security_group_id,
        description="To the engine",
    )


def _to_git(destination: str) -> ec2.CfnSecurityGroup.EgressProperty:
    block = None if is_prefix_list(destination) else destination
    sixth = block is not None and ":" in block
    return ec2.CfnSecurityGroup.EgressProperty(
        ip_protocol="tcp",
        from_port=_HTTPS,
        to_port=_HTTPS,
        cidr_ip=None if sixth else block,
        cidr_ipv6=block if sixth else None,
        destination_prefix_list_id=destination if block is None else None,
        description="To Git",
    )
