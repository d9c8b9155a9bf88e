"""Where an EMR Studio's workspaces have their network interfaces."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from aws_cdk import aws_ec2 as ec2

from cdk_emr_eks.errors import Problems
from cdk_emr_eks.field_types import check_types
from cdk_emr_eks.model.notebooks.studio import MAX_SUBNETS
from cdk_emr_eks.networks.network import Network


@dataclass(frozen=True, kw_only=True, slots=True)
class StudioNetwork:
    """The VPC and the subnets of a Studio: those of the cluster whose endpoints it uses.

    EMR shows an endpoint in the Studio only if Studio and cluster have a private subnet in common.
    A subnet can be added to a Studio later, but never taken from it.

    Args:
        vpc: The cluster's VPC.
        subnets: 1 to 5 private subnets of it, in the order in which they are preferred.

    Raises:
        ConfigError: If there are none or too many, one is there twice, or one is public.

    Source: https://docs.aws.amazon.com/emr/latest/EMR-on-EKS-DevelopmentGuide/prereqs-for-studio.html
    """

    vpc: ec2.IVpc
    subnets: tuple[ec2.ISubnet, ...]

    def __post_init__(self) -> None:
        check_types("StudioNetwork", self)
        problems = Problems("StudioNetwork")
        ids = [subnet.subnet_id for subnet in self.subnets]
        rule = f"must be 1 to {MAX_SUBNETS} different subnets"
        fits = 1 <= len(set(ids)) == len(ids) <= MAX_SUBNETS
        problems.require(fits, "subnets", rule, ", ".join(ids) or "none")
        public = {subnet.subnet_id for subnet in self.vpc.public_subnets} & set(ids)
        rule = "must be private: an interface of a workspace has no public address"
        problems.require(not public, "subnets", rule, ", ".join(sorted(public)))
        problems.raise_if_any()

    @classmethod
    def of(cls, network: Network) -> Self:
        """Return the network of a platform: its node subnets, one a zone first, at most five.

        The interfaces of workspaces need few addresses, and five subnets are all that a Studio
        takes; of a platform with more, the rest stays without workspaces.

        Args:
            network: ``EmrEksCluster.network``. A cluster that is imported has none.
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
