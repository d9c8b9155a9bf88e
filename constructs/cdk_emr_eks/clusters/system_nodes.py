"""The managed node group for Karpenter and other add-ons."""

from __future__ import annotations

from aws_cdk import Aws
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_eks as eks_l1
from aws_cdk import aws_iam as iam
from constructs import Construct

from cdk_emr_eks.model.clusters.cluster import SYSTEM_SELECTOR, SYSTEM_TOLERATIONS, ClusterSpec
from cdk_emr_eks.networks.network import Network
from cdk_emr_eks.security.suppressions import managed_policy, suppress

_VOLUME_GIB = 50
# Without the policy of the VPC CNI, which has a separate role with Pod Identity.
# Source: https://docs.aws.amazon.com/eks/latest/userguide/create-node-role.html
_NODE_POLICIES = ("AmazonEKSWorkerNodePolicy", "AmazonEC2ContainerRegistryPullOnly")


class SystemNodes(Construct):
    """On-demand Graviton nodes over all zones, with a taint, for the platform's add-ons.

    Amazon Linux 2023, IMDSv2 with hop limit 1 (no pod reaches the node's role), encrypted volumes,
    private subnets. EKS uses the newest image at creation and at each update of the group.

    Resources: a role, a launch template and the ``AWS::EKS::Nodegroup``.

    Args:
        cluster_name: Name of the cluster; may be a token.
        spec: Instance types and number of nodes.
        network: The network, for its node subnets.

    Attributes:
        resource: The node group, a dependency of pods on system nodes.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        cluster_name: str,
        spec: ClusterSpec,
        network: Network,
    ) -> None:
        super().__init__(scope, id)
        template = self._launch_template(spec)
        taint = SYSTEM_TOLERATIONS[0]["key"]
        self.resource = eks_l1.CfnNodegroup(
            self,
            "NodeGroup",
            cluster_name=cluster_name,
            node_role=self._role().attr_arn,
            subnets=[subnet.subnet_id for subnet in network.node_subnets],
            ami_type="AL2023_ARM_64_STANDARD",
            capacity_type="ON_DEMAND",
            instance_types=list(spec.system_instance_types),
            labels=dict(SYSTEM_SELECTOR),
            taints=[
                eks_l1.CfnNodegroup.TaintProperty(
                    key=taint, value=SYSTEM_SELECTOR[taint], effect="NO_SCHEDULE"
                )
            ],
            scaling_config=eks_l1.CfnNodegroup.ScalingConfigProperty(
                min_size=spec.system_nodes,
                desired_size=spec.system_nodes,
                # An operator can add nodes; no autoscaler changes the group.
                max_size=spec.system_nodes + len(network.zones),
            ),
            update_config=eks_l1.CfnNodegroup.UpdateConfigProperty(max_unavailable=1),
            launch_template=eks_l1.CfnNodegroup.LaunchTemplateSpecificationProperty(
                id=template.ref, version=template.attr_latest_version_number
            ),
        )

    def _role(self) -> iam.CfnRole:
        arns = [f"arn:{Aws.PARTITION}:iam::aws:policy/{policy}" for policy in _NODE_POLICIES]
        role = iam.CfnRole(
            self,
            "Role",
            assume_role_policy_document={
                "Version": "2012-10-17",
                "Statement": [
                    {
                        "Effect": "Allow",
                        "Action": "sts:AssumeRole",
                        # In China EKS refuses a node role that does not trust ec2.amazonaws.com.cn:
                        # https://github.com/awslabs/cdk-eks-blueprints/issues/558
                        "Principal": {"Service": f"ec2.{Aws.URL_SUFFIX}"},
                    }
                ],
            },
            managed_policy_arns=arns,
        )
        reason = "EKS asks for this policy on nodes; it reads, and nothing of it names a tenant"
        suppress(role, {managed_policy(role, arn): reason for arn in arns})
        return role

    def _launch_template(self, spec: ClusterSpec) -> ec2.CfnLaunchTemplate:
        properties = ec2.CfnLaunchTemplate
        tags = [{"key": "Name", "value": f"{spec.name}-system"}]
        return ec2.CfnLaunchTemplate(
            self,
            "LaunchTemplate",
            launch_template_data=properties.LaunchTemplateDataProperty(
                metadata_options=properties.MetadataOptionsProperty(
                    http_endpoint="enabled",
                    http_tokens="required",
                    http_put_response_hop_limit=1,
                ),
                block_device_mappings=[
                    properties.BlockDeviceMappingProperty(
                        # The root device of Amazon Linux 2023's images.
                        device_name="/dev/xvda",
                        ebs=properties.EbsProperty(
                            encrypted=True,
                            volume_type="gp3",
                            volume_size=_VOLUME_GIB,
                            delete_on_termination=True,
                        ),
                    )
                ],
                tag_specifications=[
                    properties.TagSpecificationProperty(resource_type=kind, tags=tags)
                    for kind in ("instance", "volume")
                ],
            ),
        )
