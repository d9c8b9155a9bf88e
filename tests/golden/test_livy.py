"""Kubernetes objects of Livy, as a file that a reviewer reads."""

from __future__ import annotations

from syrupy.assertion import SnapshotAssertion

from cdk_emr_eks.model.namespaces.namespace import NamespaceOwner, namespace_manifest
from cdk_emr_eks.model.namespaces.network_policies import livy_policies
from cdk_emr_eks.model.namespaces.tenant_network import ClusterNetwork, TenantNetwork
from cdk_emr_eks.notebooks.livy_objects import LivyChart


def test_objects_of_livy(golden: SnapshotAssertion) -> None:
    policies = livy_policies(
        server_namespace="team-livy",
        namespace="team",
        clients=("10.200.0.0/16",),
        port=8998,
        network=TenantNetwork(),
        cluster=ClusterNetwork(),
    )
    chart = LivyChart(
        server_namespace="team-livy",
        namespace="team",
        session_account="emr-container-sa-spark-livy",
        session_role_arn=None,
        client_cidrs=("10.200.0.0/16",),
        certificate_arn="arn:aws:acm:eu-west-1:111122223333:certificate/1234",
    )
    namespace = namespace_manifest("team-livy", NamespaceOwner(tenant="team"))
    assert [namespace, *policies, *chart.to_json()] == golden(name="livy-objects")
