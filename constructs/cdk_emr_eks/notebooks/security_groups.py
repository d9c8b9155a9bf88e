"""The two security groups of an EMR Studio, with the rules that EMR documents and no other."""

from __future__ import annotations

from typing import Final

from aws_cdk import Tags
from aws_cdk import aws_ec2 as ec2
from constructs import Construct

from cdk_emr_eks.labels import EMR_MANAGED_TAG
from cdk_emr_eks.model.notebooks.studio import GitAccess, is_prefix_list

NOTEBOOK_PORT: Final = 18888
"""Port on which workspaces reach a gateway of notebooks.

Source: https://docs.aws.amazon.com/emr/latest/ManagementGuide/emr-studio-security-groups.html
"""
_HTTPS: Final = 443


class StudioSecurityGroups(Construct):
    """The engine's and the workspaces' security groups of one Studio.

    - Workspaces take no connection at all. They open connections to the engine group on port 18888,
      and to Git on port 443 if that is asked for.
    - The engine group takes connections from the workspaces on port 18888 and opens none. It is for
      clusters on EC2; a Studio can't be made without it.

    Resources made: two ``AWS::EC2::SecurityGroup`` and an ``AWS::EC2::SecurityGroupIngress``.

    Args:
        vpc: The Studio's VPC.
        studio: Name of the Studio, for the groups' tags ``Name``.
        git: What workspaces may reach of Git. None: nothing.

    Attributes:
        engine: The engine group.
        workspace: The workspaces' group.

    Source: https://docs.aws.amazon.com/emr/latest/ManagementGuide/emr-studio-security-groups.html
    """

    def __init__(
        self, scope: Construct, id: str, *, vpc: ec2.IVpc, studio: str, git: GitAccess | None
    ) -> None:
        super().__init__(scope, id)
        # Without a rule of its own CloudFormation would leave EC2's, which lets everything out; the
        # CDK writes one that lets nothing out.
        engine = ec2.SecurityGroup(
            self,
            "Engine",
            vpc=vpc,
            description="Engine of an EMR Studio",
            allow_all_outbound=False,
        )
        rules = [_to_engine(engine), *(_to_git(each) for each in (git.destinations if git else ()))]
        # Not the CDK's construct: once it has a rule to a group, its own rule is gone, and the rule
        # to the group is not the template's but a resource beside it.
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
        # In tags, since another description would be another group, and that another Studio.
        Tags.of(engine).add("Name", f"{studio} engine")
        Tags.of(workspace).add("Name", f"{studio} workspaces")


class EndpointConnection(Construct):
    """Lets the workspaces of a Studio reach one managed endpoint, and nothing beside it.

    EMR makes a security group for each endpoint's load balancer. The rule that lets workspaces out
    is on the workspaces' group, the one that lets them in on the endpoint's. Both go before the
    endpoint goes.

    Resources made: an ``AWS::EC2::SecurityGroupEgress`` and an ``AWS::EC2::SecurityGroupIngress``.

    Args:
        workspace: The workspaces' group.
        endpoint_security_group_id: The endpoint's group: ``AWS::EMRContainers::Endpoint`` has it
            as ``SecurityGroup``.
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
        # CDK would put the rule of a foreign group into that group's stack: both stand here, beside
        # the endpoint, so that the Studio's stack need not know it.
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
