"""``VpcEndpoints``: endpoints of AWS services in a new VPC."""

from __future__ import annotations

from typing import Final

from aws_cdk import Annotations
from aws_cdk import aws_ec2 as ec2
from constructs import Construct

from cdk_emr_eks.model.networks.network import Nat, NetworkSpec

# Services that every job calls, named as in PrivateLink's service names.
BASIC: Final = ("ecr.api", "ecr.dkr", "sts", "logs", "emr-containers")

# Services that nodes, add-ons, Karpenter and the kubectl handler call as well.
# Sources: https://docs.aws.amazon.com/eks/latest/userguide/private-clusters.html and
# https://karpenter.sh/docs/getting-started/getting-started-with-karpenter/#private-clusters
WITHOUT_NAT: Final = (
    *BASIC,
    "ec2",
    "eks",
    "eks-auth",
    "elasticloadbalancing",
    "glue",
    "lambda",
    "sqs",
    "ssm",
)


class VpcEndpoints(Construct):
    """The S3 gateway endpoint, and interface endpoints on request.

    Resources: one ``AWS::EC2::VPCEndpoint`` for S3, which is free. With
    ``interface_endpoints`` a security group and one endpoint for each service, with private DNS,
    charged for each hour in each zone and for each gigabyte:
    https://aws.amazon.com/privatelink/pricing/.

    Args:
        vpc: The VPC.
        spec: Its options.
        subnets: Node subnets, one in each zone.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        vpc: ec2.Vpc,
        spec: NetworkSpec,
        subnets: tuple[ec2.ISubnet, ...],
    ) -> None:
        super().__init__(scope, id)
        ec2.GatewayVpcEndpoint(
            self,
            "S3",
            vpc=vpc,
            service=ec2.GatewayVpcEndpointAwsService.S3,
            subnets=[ec2.SubnetSelection(subnets=list(subnets))],
        )
        if not spec.interface_endpoints:
            return
        group = ec2.SecurityGroup(
            self,
            "Callers",
            vpc=vpc,
            description="HTTPS from nodes and pods to VPC endpoints",
            allow_all_outbound=False,
        )
        for block in (spec.cidr, spec.pod_cidr):
            group.add_ingress_rule(ec2.Peer.ipv4(block), ec2.Port.HTTPS, f"HTTPS from {block}")
        services = WITHOUT_NAT if spec.nat is Nat.NONE else BASIC
        for service in services:
            ec2.InterfaceVpcEndpoint(
                self,
                service.replace(".", "-"),
                vpc=vpc,
                service=ec2.InterfaceVpcEndpointAwsService(service),
                subnets=ec2.SubnetSelection(subnets=list(subnets)),
                security_groups=[group],
                # The rules of the group have the blocks. The CDK would add the VPC's block again.
                open=False,
            )
        self._warn(spec, len(services))

    def _warn(self, spec: NetworkSpec, services: int) -> None:
        notes = Annotations.of(self)
        notes.add_warning_v2(
            "cdk-emr-eks:interface-endpoint-cost",
            f"{services} interface endpoints in {spec.zone_count} zones are "
            f"{services * spec.zone_count} endpoint-hours an hour, also without traffic, and each "
            "gigabyte is charged: https://aws.amazon.com/privatelink/pricing/",
        )
