"""``EmrSecurityConfiguration``: a security configuration and its system namespace."""

from __future__ import annotations

from aws_cdk import aws_emrcontainers as emrcontainers
from constructs import Construct, IDependable

from cdk_emr_eks.clusters.manifests import KubernetesObject, ManifestBundle
from cdk_emr_eks.errors import ConfigError
from cdk_emr_eks.model.access.security_configuration import (
    AtRestEncryption,
    SecurityConfigurationSpec,
    TlsCertificate,
)
from cdk_emr_eks.model.namespaces.namespace import NamespaceOwner, namespace_manifest
from cdk_emr_eks.model.tenants.emr_access import emr_role_manifests
from cdk_emr_eks.model.tenants.virtual_cluster import EmrAccess
from cdk_emr_eks.tenants.claims import AppClaims
from cdk_emr_eks.tenants.context import TenancyContext

_Cfn = emrcontainers.CfnSecurityConfiguration


class EmrSecurityConfiguration(Construct):
    """A security configuration, which a session-enabled virtual cluster needs.

    CloudFormation creates the system namespace before it and deletes the namespace after it. A
    virtual cluster with ``session_enabled`` creates a security configuration. Use this construct to
    create one separately.

    Resources: one ``AWS::EMRContainers::SecurityConfiguration``, and one custom resource with
    the system namespace, unless ``created_by`` creates it.

    Attributes:
        spec: As given.
        system_namespace: Name of the system namespace.
        resource: The CloudFormation resource.
        id: Id for ``VirtualClusterOptions(security_configuration_id=...)``, a token.

    Args:
        context: The platform.
        spec: Name, system namespace and options.
        namespace: Namespace of the virtual cluster that uses it.
        created_by: Construct that creates the system namespace. None: this construct.
        access: How EMR gets its rights in a system namespace of this construct.

    Raises:
        ConfigError: If the system namespace is the namespace of the virtual cluster, or is used in
            the app.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        context: TenancyContext,
        spec: SecurityConfigurationSpec,
        namespace: str,
        created_by: IDependable | None = None,
        access: EmrAccess = EmrAccess.ACCESS_ENTRY,
    ) -> None:
        if problems := spec.namespace_problems(namespace):
            raise ConfigError(f"Security configuration of namespace {namespace!r}", problems)
        super().__init__(scope, id)
        self.spec = spec
        self.system_namespace = spec.resolved_system_namespace(namespace)
        AppClaims.of(self).claim(
            self,
            "namespace",
            context.cluster_name,
            self.system_namespace,
            field="system_namespace",
            rule="must belong to one virtual cluster only",
        )
        self.resource = self._resource(context.cluster_name, namespace)
        self.id = self.resource.attr_id
        if created_by is None:
            bundle = ManifestBundle(self, "Namespace", cluster=context.cluster)
            bundle.add(*system_namespace_objects(self.system_namespace, namespace, access))
            if context.ready:
                bundle.node.add_dependency(*context.ready)
            created_by = bundle
        self.resource.node.add_dependency(created_by)

    def _resource(
        self, cluster_name: str, namespace: str
    ) -> emrcontainers.CfnSecurityConfiguration:
        return _Cfn(
            self,
            "Resource",
            name=self.spec.resolved_name(cluster_name, namespace),
            security_configuration_data=_Cfn.SecurityConfigurationDataProperty(
                authentication_configuration=_Cfn.AuthenticationConfigurationProperty(
                    identity_center_configuration=_Cfn.IdentityCenterConfigurationProperty(
                        enable_identity_center=False
                    )
                ),
                encryption_configuration=_encryption(self.spec),
            ),
            container_provider=_Cfn.ContainerProviderProperty(
                type="EKS",
                id=cluster_name,
                info=_Cfn.ContainerInfoProperty(
                    eks_info=_Cfn.EksInfoProperty(namespace=self.system_namespace)
                ),
            ),
        )


def system_namespace_objects(
    system_namespace: str, owner: str, access: EmrAccess
) -> tuple[KubernetesObject, ...]:
    """Return the Kubernetes objects of a system namespace.

    Args:
        system_namespace: Its name.
        owner: Value of its label ``emr-eks/tenant``.
        access: How EMR gets its rights in it.
    """
    rights = emr_role_manifests(system_namespace) if access is EmrAccess.AWS_AUTH else ()
    return (namespace_manifest(system_namespace, NamespaceOwner(tenant=owner)), *rights)


def _encryption(spec: SecurityConfigurationSpec) -> _Cfn.EncryptionConfigurationProperty | None:
    if spec.tls is None and spec.at_rest is None:
        return None
    return _Cfn.EncryptionConfigurationProperty(
        in_transit_encryption_configuration=in_transit(spec.tls) if spec.tls else None,
        at_rest_encryption_configuration=_at_rest(spec.at_rest) if spec.at_rest else None,
    )


def in_transit(tls: TlsCertificate) -> _Cfn.InTransitEncryptionConfigurationProperty:
    """Return a certificate as a CloudFormation property."""
    return _Cfn.InTransitEncryptionConfigurationProperty(
        tls_certificate_configuration=_Cfn.TLSCertificateConfigurationProperty(
            certificate_provider_type="PEM",
            public_key_secret_arn=tls.certificate_secret_arn,
            private_key_secret_arn=tls.private_key_secret_arn,
        )
    )


def _at_rest(at_rest: AtRestEncryption) -> _Cfn.AtRestEncryptionConfigurationProperty:
    disk, s3 = at_rest.local_disk_key_arn, at_rest.s3
    return _Cfn.AtRestEncryptionConfigurationProperty(
        local_disk_encryption_configuration=(
            _Cfn.LocalDiskEncryptionConfigurationProperty(
                aws_kms_key_id=disk, encryption_key_provider_type="AwsKms"
            )
            if disk
            else None
        ),
        s3_encryption_configuration=(
            _Cfn.S3EncryptionConfigurationProperty(
                encryption_option=str(s3), kms_key_id=at_rest.s3_key_arn
            )
            if s3
            else None
        ),
    )
