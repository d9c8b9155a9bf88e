"""Parts of add-ons that are controllers with AWS permissions: role, policies and Helm chart."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Final, cast

from aws_cdk import Duration
from aws_cdk import aws_eks_v2 as eks
from aws_cdk import aws_iam as iam
from constructs import Construct

from cdk_emr_eks.clusters.manifests import plain
from cdk_emr_eks.security.iam import pod_identity_trust
from cdk_emr_eks.security.iam_statements import Document, Statement
from cdk_emr_eks.security.suppressions import suppress, wildcard

# Namespace of all controllers: API priority and fairness serves it first, and no tenant has it.
CONTROLLER_NAMESPACE: Final = "kube-system"

# The handler ends after 15 minutes, and a release that it was installing then stays locked.
_TIMEOUT_MINUTES: Final = 10


def controller_role(
    scope: Construct,
    id: str,
    *,
    name: str,
    description: str,
    cluster_name: str,
    service_account: str,
    documents: Mapping[str, Document],
    reasons: Callable[[Document], Mapping[str, str]],
) -> iam.CfnRole:
    """Create a controller's role and its managed policies.

    Args:
        name: The controller, in descriptions of its policies.
        description: Description of the role.
        cluster_name: Literal name of the cluster.
        service_account: The only service account that can assume the role.
        documents: Policy documents by name.
        reasons: Returns the reason for each resource with a wildcard in a document.
    """
    policies = []
    for part, document in documents.items():
        # An L1 construct keeps the statements of the published document as they are.
        policy = iam.CfnManagedPolicy(
            scope,
            f"{part}Policy",
            description=f"{name} of {cluster_name}: {part}",
            policy_document=plain(document),
        )
        suppress(policy, {wildcard(scope, arn): why for arn, why in reasons(document).items()})
        policies.append(policy)
    return iam.CfnRole(
        scope,
        id,
        description=description,
        assume_role_policy_document=pod_identity_trust(
            cluster_name=cluster_name,
            namespace=CONTROLLER_NAMESPACE,
            service_accounts=[service_account],
        ),
        # References: resources that depend on the role also depend on its policies.
        managed_policy_arns=[policy.ref for policy in policies],
    )


def controller_chart(
    scope: Construct,
    id: str,
    *,
    cluster: eks.ICluster,
    repository: str,
    chart: str,
    version: str,
    values: Mapping[str, object] | None = None,
    skip_crds: bool | None = None,
) -> eks.HelmChart:
    """Install a controller's chart, as a release of the chart's name.

    Args:
        cluster: The cluster.
        repository: Repository of the chart.
        chart: Name of the chart.
        version: Its version.
        values: Its values. None: the defaults of the chart.
        skip_crds: Whether CRDs in the chart are skipped. None: helm's default.
    """
    return eks.HelmChart(
        scope,
        id,
        cluster=cluster,
        repository=repository,
        chart=chart,
        version=version,
        release=chart,
        namespace=CONTROLLER_NAMESPACE,
        create_namespace=False,
        skip_crds=skip_crds,
        # A failed upgrade is rolled back, and a deletion waits until the pods are deleted.
        atomic=True,
        wait=True,
        timeout=Duration.minutes(_TIMEOUT_MINUTES),
        values=None if values is None else {str(key): plain(v) for key, v in values.items()},
    )


def wildcard_resources(document: Document) -> Iterator[tuple[Statement, str]]:
    """Yield each resource with a wildcard in a policy document, with its statement."""
    for statement in cast(tuple[Statement, ...], document["Statement"]):
        given = statement["Resource"]
        for resource in [given] if isinstance(given, str) else cast(tuple[str, ...], given):
            if "*" in resource:
                yield statement, resource
