"""The capacity of one tenant's own: pools, classes and priorities that nobody else may use."""

from __future__ import annotations

from dataclasses import replace

from constructs import Construct

from cdk_emr_eks.errors import refuse
from cdk_emr_eks.labels import TENANT
from cdk_emr_eks.model.nodes.capacity_buffers import buffer_manifests, refuse_buffers
from cdk_emr_eks.model.nodes.dedicated import DedicatedPools
from cdk_emr_eks.model.tenants.tenant import Tenant
from cdk_emr_eks.nodes.capacity_buffers import add_capacity_buffers
from cdk_emr_eks.nodes.node_pools import CapacityStage, NodeSite
from cdk_emr_eks.pods.pod_templates import PodTemplates
from cdk_emr_eks.tenants.claims import AppClaims
from cdk_emr_eks.tenants.context import TenancyContext


class DedicatedCapacity(CapacityStage):
    """Node pools, node classes and priority classes of a tenant's own workloads.

    They are in the tenant's stack: they come before its namespace, and go after its last pod. The
    nodes' tags name the tenant, so that they are its cost.

    Resources made: one ``Custom::AWSCDK-EKS-KubernetesResource``.

    Args:
        context: The platform.
        site: Where nodes may be.
        tenant: Whose the capacity is.

    Raises:
        ConfigError: If another tenant of the cluster has a workload of the name.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        context: TenancyContext,
        site: NodeSite,
        tenant: Tenant,
    ) -> None:
        super().__init__(scope, id, cluster=context.cluster)
        if context.ready:
            self.node.add_dependency(*context.ready)
        for own in tenant.dedicated:
            AppClaims.of(self).take(
                self,
                "workload",
                context.cluster_name,
                own.workload.name,
                field="dedicated",
                rule="must have a name that no other tenant's workload has",
            )
            self._add_workload(own, site, tenant.name)

    def _add_workload(self, own: DedicatedPools, site: NodeSite, tenant: str) -> None:
        nodes = replace(site.nodes, tags={**(site.nodes.tags or {}), TENANT: tenant})
        self.add(
            *(pool.manifest() for pool in own.node_pools(site.zones, tenant)),
            *(nodes.manifest(each) for each in own.node_classes()),
            *own.workload_with_limits.priority_classes(),
        )


def check_site(context: TenancyContext, tenant: Tenant) -> None:
    """Check that a tenant's own node pools can be made where it is.

    Raises:
        ConfigError: If it wants some on a cluster that does not say where nodes may be, or
            capacity buffers that Karpenter does not support.
    """
    if tenant.dedicated and context.site is None:
        rule = (
            f"must be on a cluster that says where nodes may be; {context.cluster_name!r} does not"
        )
        fix = "add the tenant in the app of its EmrEksCluster, or import it with capacity="
        names = ", ".join(each.workload.name for each in tenant.dedicated)
        raise refuse(f"Tenant {tenant.name!r}", "dedicated", rule, names, fix)
    if context.site is not None and not context.site.buffers:
        own = [each.workload for each in tenant.dedicated]
        fix = "Karpenter(feature_gates=FeatureGates(capacity_buffer=True)) on the cluster"
        refuse_buffers(f"Tenant {tenant.name!r}", "dedicated", own, fix)


def with_dedicated(scope: Construct, context: TenancyContext, tenant: Tenant) -> TenancyContext:
    """Return the platform as a tenant sees it, with the capacity that it has alone made.

    A tenant without such capacity sees the platform as it is.
    """
    if not tenant.dedicated or context.site is None:
        return context
    capacity = DedicatedCapacity(
        scope, "Capacity", context=context, site=context.site, tenant=tenant
    )
    for own in tenant.dedicated:
        buffers = buffer_manifests(own.workload_with_limits, context.site.zones)
        name = own.workload.name
        add_capacity_buffers(scope, name, buffers, cluster=context.cluster, pools=[capacity])
    workloads = {each.name: each for each in tenant.selected_workloads(context.workloads)}
    return replace(
        context,
        workloads=workloads,
        # Those of the platform's workloads are the same files: assets are named by their content.
        pod_templates=PodTemplates(scope, "PodTemplates", workloads=workloads),
        ready=(*context.ready, capacity),
    )
