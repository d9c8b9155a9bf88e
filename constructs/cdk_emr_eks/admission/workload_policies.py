"""``WorkloadPolicies``: objects that all tenants of a cluster share."""

from __future__ import annotations

from collections.abc import Sequence

from aws_cdk import aws_eks_v2 as eks
from constructs import Construct

from cdk_emr_eks.clusters.manifests import ManifestBundle
from cdk_emr_eks.model.admission.cluster_policies import ADMISSION_POLICIES
from cdk_emr_eks.model.admission.mutation import (
    driver_zone,
    submitter_priority,
    submitter_spread,
    supports_mutation,
)
from cdk_emr_eks.model.networks.zones import Zone
from cdk_emr_eks.model.nodes.storage_class import needs_storage_class, storage_class
from cdk_emr_eks.model.workloads.workload import Workload


class WorkloadPolicies(ManifestBundle):
    """PriorityClasses, admission policies, and the StorageClass of workloads with volumes.

    All objects except the PriorityClasses belong to the cluster, and not to one workload.

    Resources: one ``Custom::AWSCDK-EKS-KubernetesResource``.

    Args:
        cluster: The cluster.
        cluster_name: Its literal name.
        workloads: The workloads.
        kubernetes: Version of the cluster. From 1.36 on, job submitters are spread over zones and
            have the priority of drivers. None: unknown, treated as an older version.
        zones: Zones of the node pools, over which the jobs of many tenants are spread too. Empty:
            unknown.
        cluster_wide: Whether the objects of the cluster are created. False: another app creates
            them.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        cluster: eks.ICluster,
        cluster_name: str,
        workloads: Sequence[Workload],
        kubernetes: str | None = None,
        zones: Sequence[Zone] = (),
        cluster_wide: bool = True,
    ) -> None:
        super().__init__(scope, id, cluster=cluster)
        for workload in workloads:
            self.add(*workload.priority_classes())
        if not cluster_wide:
            return
        for policy in ADMISSION_POLICIES:
            self.add(*policy.manifests())
        if kubernetes and supports_mutation(kubernetes):
            names = [zone.name for zone in zones]
            self.add(*submitter_spread(names), *submitter_priority())
            if len(names) > 1:
                self.add(*driver_zone(names))
        if needs_storage_class(workloads):
            self.add(storage_class(cluster_name=cluster_name))
