"""What EMR's interactive endpoints need in a cluster, beside the controller of load balancers."""

from __future__ import annotations

from typing import Final

from aws_cdk import Aws, Stack, custom_resources
from aws_cdk import aws_iam as iam
from constructs import Construct, DependencyGroup, IDependable

from cdk_emr_eks.cluster import EksCluster
from cdk_emr_eks.errors import refuse
from cdk_emr_eks.node_pools import NodePools
from cdk_emr_eks.sdk_calls import accept_sdk_call
from cdk_emr_eks.spec.gateway_pool import GATEWAY, GatewayPool, gateway_security_group_tag
from cdk_emr_eks.spec.placement import Zone

_GONE: Final = "InvalidGroup.NotFound"


class EndpointParts(Construct):
    """The gateway pool, and the tag by which EMR finds the security group of its nodes.

    The pool goes into the cluster's stage of node pools, so it costs no custom resource of its own.
    The security group is EKS's own: CloudFormation did not make it and so cannot tag it, hence the
    call to EC2. EMR opens that group to each endpoint's load balancer; pods have it, too.

    Resources made: one ``Custom::EmrEndpointNodes`` with its policy, and for the first of CDK's
    calls in the stack a Lambda function and its role.

    Args:
        cluster: The cluster.
        pools: The cluster's node pools.
        zones: Zones that the gateway's nodes may be in.
        gateway: The pool.
        controller: What load balancers wait for.

    Attributes:
        gateway: The pool.
        ready: Dependency of endpoints; they are deleted before all of it.

    Raises:
        ConfigError: If a workload has the pool's name.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        cluster: EksCluster,
        pools: NodePools,
        zones: tuple[Zone, ...],
        gateway: GatewayPool,
        controller: IDependable,
    ) -> None:
        if any(pool.workload == GATEWAY for pool in pools.pools):
            rule = "must not be the name of a workload: its drivers would come to the gateway's"
            raise refuse(f"Gateway pool of {cluster.name!r}", "name", rule, GATEWAY)
        super().__init__(scope, id)
        self.gateway = gateway
        self._cluster_name = cluster.name
        pools.add(gateway.node_pool(zones))
        pools.add(gateway.node_class)
        tag = self._tag(cluster.name, cluster.security_group.security_group_id)
        self.ready: IDependable = DependencyGroup(controller, pools, tag)

    def with_pool(self, gateway: GatewayPool | None) -> IDependable:
        """Return what endpoints wait for.

        Args:
            gateway: The pool that the caller wants. None: the one that is there.

        Raises:
            ConfigError: If the pool is there with other options: the caller's would be ignored.
        """
        if gateway not in (None, self.gateway):
            rule, fix = "must be the same at each call", f"the first call had {self.gateway!r}"
            raise refuse(f"EmrEksCluster {self._cluster_name!r}", "gateway", rule, gateway, fix)
        return self.ready

    def _tag(self, cluster_name: str, group: str) -> custom_resources.AwsCustomResource:
        key, value = gateway_security_group_tag(cluster_name)
        stack = Stack.of(self)
        arn = f"arn:{Aws.PARTITION}:ec2:{stack.region}:{stack.account}:security-group/{group}"
        create = custom_resources.AwsSdkCall(
            service="@aws-sdk/client-ec2",
            action="CreateTags",
            parameters={"Resources": [group], "Tags": [{"Key": key, "Value": value}]},
            physical_resource_id=custom_resources.PhysicalResourceId.of(f"{group}/{GATEWAY}"),
        )
        delete = custom_resources.AwsSdkCall(
            service="@aws-sdk/client-ec2",
            action="DeleteTags",
            parameters={"Resources": [group], "Tags": [{"Key": key}]},
            ignore_error_codes_matching=_GONE,
        )
        statement = iam.PolicyStatement(
            actions=["ec2:CreateTags", "ec2:DeleteTags"],
            resources=[arn],
            conditions={"ForAllValues:StringEquals": {"aws:TagKeys": [key]}},
        )
        call = custom_resources.AwsCustomResource(
            self,
            "SecurityGroupTag",
            on_update=create,
            on_delete=delete,
            policy=custom_resources.AwsCustomResourcePolicy.from_statements([statement]),
            resource_type="Custom::EmrEndpointNodes",
            # Lambda's own copy of the SDK has known both operations since it exists.
            install_latest_aws_sdk=False,
        )
        accept_sdk_call(call)
        return call
