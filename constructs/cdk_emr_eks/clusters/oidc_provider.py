"""The OIDC provider of a cluster, which IAM roles for service accounts (IRSA) need."""

from __future__ import annotations

from typing import Final, cast

from aws_cdk import FeatureFlags
from aws_cdk import aws_eks_v2 as eks

from cdk_emr_eks.values import value

_NATIVE_OIDC: Final = "@aws-cdk/aws-eks:useNativeOidcProvider"
_ID: Final = "JobOidcProvider"


@value
class OidcProvider:
    """The IAM identity provider of a cluster's service accounts, for IRSA.

    Args:
        arn: ARN of the provider.
        issuer: Issuer without ``https://``: a literal for an imported cluster, a token for a
            cluster of this app.

    Raises:
        ConfigError: If one is not text.
    """

    arn: str
    issuer: str

    def resolve(self) -> OidcProvider:
        """Return the provider itself: it exists."""
        return self


class ClusterOidcProvider:
    """The OIDC provider of a cluster of this app, created when the first role needs it.

    It is CloudFormation's own resource, never CDK's older Lambda. With the feature flag
    ``@aws-cdk/aws-eks:useNativeOidcProvider`` it is the one that ``cluster.add_service_account``
    uses. Without the flag do not use both on one cluster: IAM allows one provider for each issuer.

    Args:
        cluster: The cluster.
    """

    def __init__(self, cluster: eks.Cluster) -> None:
        self._cluster = cluster

    def resolve(self) -> OidcProvider:
        """Return the provider, creating it the first time."""
        cluster = self._cluster
        if FeatureFlags.of(cluster).is_enabled(_NATIVE_OIDC):
            shared = cluster.open_id_connect_provider
            return OidcProvider(
                arn=shared.open_id_connect_provider_arn,
                issuer=shared.open_id_connect_provider_issuer,
            )
        own = cluster.node.try_find_child(_ID)
        if own is None:
            url = cluster.cluster_open_id_connect_issuer_url
            own = eks.OidcProviderNative(cluster, _ID, url=url)
        native = cast(eks.OidcProviderNative, own)
        return OidcProvider(arn=native.oidc_provider_arn, issuer=native.oidc_provider_issuer)
