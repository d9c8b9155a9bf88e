"""Dedicated node pools of one tenant, with node classes and priority classes."""

from __future__ import annotations

from dataclasses import replace

from constructs import Construct

from cdk_emr_eks.errors import refuse
from cdk_emr_eks.labels import TENANT
from cdk_emr_eks.model.nodes.capacity_buffers import buffer_manifests, refuse_buffers
from cdk_emr_eks.model.nodes.dedicated import DedicatedPools
from cdk_emr_eks.model.tenants.tenant import Tenant
from cdk_emr_eks.nodes.capacity_buffers import add_capacity_buffers
from cdk_emr_eks.nodes.node_pools import CapacityBundle, NodeEnvironment
from cdk_emr_eks.pods.pod_templates import PodTemplates
from cdk_emr_eks.tenants.claims import AppClaims
from cdk_emr_eks.tenants.context import TenancyContext


class DedicatedCapacity(CapacityBundle):
    """Node pools, node classes and priority classes of a tenant's dedicated workloads.

    They are in the tenant's stack, created before its namespace and deleted after its last pod. The
    nodes' tags name the tenant, for cost allocation.

    Resources: one ``Custom::AWSCDK-EKS-KubernetesResource``.

    Args:
        context: The platform.
        nodes: Zones and cluster settings of the nodes.
        tenant: The tenant.

    Raises:
        ConfigError: If another tenant of the cluster has a workload of the name.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        context: TenancyContext,
        nodes: NodeEnvironment,
        tenant: Tenant,
    ) -> None:
        super().__init__(scope, id, cluster=context.cluster)
        if context.ready:
            self.node.add_dependency(*context.ready)
        for own in tenant.dedicated:
            AppClaims.of(self).claim(
                self,
                "workload",
                context.cluster_name,
                own.workload.name,
                field="dedicated",
                rule="must have a name that no other tenant's workload has",
            )
            self._add_workload(own, nodes, tenant.name)

    def _add_workload(self, own: DedicatedPools, nodes: NodeEnvironment, tenant: str) -> None:
        nodes = replace(nodes, tags={**(nodes.tags or {}), TENANT: tenant})
        self.add(
            *(pool.manifest() for pool in own.node_pools(nodes.zones, tenant)),
            *(nodes.manifest(each) for each in own.node_classes()),
            *own.workload_with_limits.priority_classes(),
        )


def check_dedicated_capacity(context: TenancyContext, tenant: Tenant) -> None:
    """Check that a tenant's dedicated node pools can be created.

    Raises:
        ConfigError: If the cluster has no node settings, or Karpenter does not support the capacity
            buffers of a dedicated workload.
    """
    where, dedicated = f"Tenant {tenant.name!r}", [each.workload for each in tenant.dedicated]
    nodes = context.nodes
    if dedicated and nodes is None:
        rule = f"must be on a cluster with node settings; {context.cluster_name!r} has none"
        fix = "add the tenant in the app of its EmrEksCluster, or write ImportedPlatform(nodes=...)"
        raise refuse(where, "dedicated", rule, ", ".join(each.name for each in dedicated), fix)
    if nodes is not None and not nodes.capacity_buffers:
        fix = "Karpenter(feature_gates=FeatureGates(capacity_buffer=True)) on the cluster"
        refuse_buffers(where, "dedicated", dedicated, fix)


def with_dedicated(scope: Construct, context: TenancyContext, tenant: Tenant) -> TenancyContext:
    """Create the dedicated capacity of a tenant, and return the context with its workloads.

    For a tenant without dedicated workloads, the context is returned as it is.
    """
    nodes = context.nodes
    if not tenant.dedicated or nodes is None:
        return context
    capacity = DedicatedCapacity(scope, "Capacity", context=context, nodes=nodes, tenant=tenant)
    for own in tenant.dedicated:
        buffers = buffer_manifests(own.workload_with_limits, nodes.zones)
        name = own.workload.name
        add_capacity_buffers(scope, name, buffers, cluster=context.cluster, pools=[capacity])
    workloads = {each.name: each for each in tenant.selected_workloads(context.workloads)}
    return replace(
        context,
        workloads=workloads,
        # Templates of the platform's workloads are the same files: their content names them.
        pod_templates=PodTemplates(scope, "PodTemplates", workloads=workloads),
        ready=(*context.ready, capacity),
    )
