"""AWS CDK constructs for a multi-tenant Amazon EMR on EKS platform.

Each public name is imported when it is first used: importing a construct starts Node, which takes
seconds, and values and the ``emr-eks`` command need none of it. The imports below are for type
checkers and editors; :mod:`cdk_emr_eks.lazy_exports` reads them as the table of public names.
"""

from typing import TYPE_CHECKING

from cdk_emr_eks.lazy_exports import exported, importer

if TYPE_CHECKING:
    __version__: str
    from cdk_emr_eks.addons.karpenter import (
        FeatureGates,
        Karpenter,
        KarpenterLogLevel,
        SchedulingBatch,
    )
    from cdk_emr_eks.addons.load_balancer_controller import LoadBalancerController
    from cdk_emr_eks.addons.protocol import Addon, AddonContext
    from cdk_emr_eks.clusters.addon_registry import AddonRegistry
    from cdk_emr_eks.clusters.cluster import EksCluster
    from cdk_emr_eks.clusters.manifests import ManifestBundle
    from cdk_emr_eks.clusters.oidc_provider import OidcProvider
    from cdk_emr_eks.ephemeral.jobs import EphemeralJobs
    from cdk_emr_eks.errors import ConfigError, ConfigProblem
    from cdk_emr_eks.images.image import NotebookImage, SparkImage
    from cdk_emr_eks.jobs.job_template import JobTemplate
    from cdk_emr_eks.labels import Architecture, CapacityType, SparkRole
    from cdk_emr_eks.model.access.data_access import (
        glue_access,
        lake_formation_access,
        s3_folder,
        s3_namespace_folder,
        s3_user_folder,
    )
    from cdk_emr_eks.model.access.execution_role import (
        ExecutionRoleSpec,
        IamPermission,
        JobIdentity,
        JobLogs,
        RoleUse,
    )
    from cdk_emr_eks.model.access.lake_formation import LakeFormation
    from cdk_emr_eks.model.access.security_configuration import (
        AtRestEncryption,
        S3Encryption,
        SecurityConfigurationSpec,
        TlsCertificate,
    )
    from cdk_emr_eks.model.access.tenant_secrets import TenantSecret
    from cdk_emr_eks.model.admission.admission import Admission, AdmissionMode, JobController
    from cdk_emr_eks.model.admission.cluster_policies import ClusterPolicies
    from cdk_emr_eks.model.clusters.addon_mirror import AddonMirror
    from cdk_emr_eks.model.clusters.cluster import ClusterSpec, ControlPlaneLogType
    from cdk_emr_eks.model.ephemeral.job import EphemeralJobSpec
    from cdk_emr_eks.model.images.emr_images import ImageKind
    from cdk_emr_eks.model.images.image import BuilderSize, ImageBuilder, ImageSpec, ImageStore
    from cdk_emr_eks.model.instances.instances import Instances
    from cdk_emr_eks.model.jobs.job_template import JobParameter, JobParameterType, JobTemplateSpec
    from cdk_emr_eks.model.jobs.spark_encryption import SparkEncryption
    from cdk_emr_eks.model.namespaces.namespace import LimitDefaults
    from cdk_emr_eks.model.namespaces.quota import ClassQuota, Quota
    from cdk_emr_eks.model.namespaces.tenant_network import (
        ClusterNetwork,
        NetworkPeer,
        NetworkProtocol,
        TenantNetwork,
    )
    from cdk_emr_eks.model.networks.network import Nat, NetworkSpec
    from cdk_emr_eks.model.networks.zones import Zone
    from cdk_emr_eks.model.nodes.dedicated import DedicatedPools
    from cdk_emr_eks.model.nodes.gateway_pool import GatewayPool
    from cdk_emr_eks.model.nodes.node_class import NodeClass
    from cdk_emr_eks.model.nodes.node_pool import NodePool
    from cdk_emr_eks.model.notebooks.livy import LivySpec
    from cdk_emr_eks.model.notebooks.managed_endpoint import KernelImages, ManagedEndpointSpec
    from cdk_emr_eks.model.notebooks.notebook_endpoint import NotebookEndpoint
    from cdk_emr_eks.model.notebooks.notebook_user import IdentityType, NotebookUser
    from cdk_emr_eks.model.notebooks.spark_connect import SparkConnectSpec
    from cdk_emr_eks.model.notebooks.studio import (
        AuthMode,
        GitAccess,
        GitSecrets,
        IamAuth,
        IdentityCenterAuth,
        SamlAuth,
        StudioSpec,
        UserAssignment,
        WorkspaceStorage,
        studio_auth,
    )
    from cdk_emr_eks.model.pods.pod_template import PodTemplate
    from cdk_emr_eks.model.tenants.tenant import Tenant
    from cdk_emr_eks.model.tenants.virtual_cluster import (
        EmrAccess,
        SchedulerLimits,
        VirtualClusterOptions,
        VirtualClusterSpec,
    )
    from cdk_emr_eks.model.workloads.capacity_buffers import CapacityBuffers
    from cdk_emr_eks.model.workloads.catalog import CRITICAL, DEFAULT_WORKLOADS, NOTEBOOK, SHARED
    from cdk_emr_eks.model.workloads.disruption import Disruption, DriftFreeze
    from cdk_emr_eks.model.workloads.shapes import (
        DriverShape,
        DynamicAllocation,
        ExecutorShape,
        NodePoolLimits,
    )
    from cdk_emr_eks.model.workloads.storage import InstanceStore, PersistentVolumes, RootVolume
    from cdk_emr_eks.model.workloads.workload import Workload
    from cdk_emr_eks.networks.network import ExistingNetwork, Network
    from cdk_emr_eks.nodes.node_pools import NodeEnvironment, NodePools
    from cdk_emr_eks.notebooks.livy import Livy
    from cdk_emr_eks.notebooks.managed_endpoint import ManagedEndpoint
    from cdk_emr_eks.notebooks.spark_connect import SparkConnectEndpoint
    from cdk_emr_eks.notebooks.studio import EmrStudio
    from cdk_emr_eks.notebooks.studio_network import StudioNetwork
    from cdk_emr_eks.notebooks.users import NotebookAccess
    from cdk_emr_eks.platforms.emr_eks_cluster import EmrEksCluster
    from cdk_emr_eks.platforms.imported_cluster import ImportedEmrEksCluster, ImportedPlatform
    from cdk_emr_eks.platforms.notebook_platform import NotebookPlatform
    from cdk_emr_eks.platforms.platform import Platform
    from cdk_emr_eks.platforms.tenant_host import TenantHost
    from cdk_emr_eks.pods.pod_templates import PodTemplateLocation, PodTemplates
    from cdk_emr_eks.tenants.context import TenancyContext
    from cdk_emr_eks.tenants.execution_role import ExecutionRole, JobRole
    from cdk_emr_eks.tenants.security_configuration import EmrSecurityConfiguration
    from cdk_emr_eks.tenants.shared_role import SharedExecutionRole, SharedRoleUse
    from cdk_emr_eks.tenants.tenant import EmrEksTenant
    from cdk_emr_eks.tenants.virtual_cluster import EmrServiceLinkedRole, EmrVirtualCluster
    from cdk_emr_eks.units import Cpu, Memory

__all__ = [
    "CRITICAL",
    "DEFAULT_WORKLOADS",
    "NOTEBOOK",
    "SHARED",
    "Addon",
    "AddonContext",
    "AddonMirror",
    "AddonRegistry",
    "Admission",
    "AdmissionMode",
    "Architecture",
    "AtRestEncryption",
    "AuthMode",
    "BuilderSize",
    "CapacityBuffers",
    "CapacityType",
    "ClassQuota",
    "ClusterNetwork",
    "ClusterPolicies",
    "ClusterSpec",
    "ConfigError",
    "ConfigProblem",
    "ControlPlaneLogType",
    "Cpu",
    "DedicatedPools",
    "Disruption",
    "DriftFreeze",
    "DriverShape",
    "DynamicAllocation",
    "EksCluster",
    "EmrAccess",
    "EmrEksCluster",
    "EmrEksTenant",
    "EmrSecurityConfiguration",
    "EmrServiceLinkedRole",
    "EmrStudio",
    "EmrVirtualCluster",
    "EphemeralJobSpec",
    "EphemeralJobs",
    "ExecutionRole",
    "ExecutionRoleSpec",
    "ExecutorShape",
    "ExistingNetwork",
    "FeatureGates",
    "GatewayPool",
    "GitAccess",
    "GitSecrets",
    "IamAuth",
    "IamPermission",
    "IdentityCenterAuth",
    "IdentityType",
    "ImageBuilder",
    "ImageKind",
    "ImageSpec",
    "ImageStore",
    "ImportedEmrEksCluster",
    "ImportedPlatform",
    "InstanceStore",
    "Instances",
    "JobController",
    "JobIdentity",
    "JobLogs",
    "JobParameter",
    "JobParameterType",
    "JobRole",
    "JobTemplate",
    "JobTemplateSpec",
    "Karpenter",
    "KarpenterLogLevel",
    "KernelImages",
    "LakeFormation",
    "LimitDefaults",
    "Livy",
    "LivySpec",
    "LoadBalancerController",
    "ManagedEndpoint",
    "ManagedEndpointSpec",
    "ManifestBundle",
    "Memory",
    "Nat",
    "Network",
    "NetworkPeer",
    "NetworkProtocol",
    "NetworkSpec",
    "NodeClass",
    "NodeEnvironment",
    "NodePool",
    "NodePoolLimits",
    "NodePools",
    "NotebookAccess",
    "NotebookEndpoint",
    "NotebookImage",
    "NotebookPlatform",
    "NotebookUser",
    "OidcProvider",
    "PersistentVolumes",
    "Platform",
    "PodTemplate",
    "PodTemplateLocation",
    "PodTemplates",
    "Quota",
    "RoleUse",
    "RootVolume",
    "S3Encryption",
    "SamlAuth",
    "SchedulerLimits",
    "SchedulingBatch",
    "SecurityConfigurationSpec",
    "SharedExecutionRole",
    "SharedRoleUse",
    "SparkConnectEndpoint",
    "SparkConnectSpec",
    "SparkEncryption",
    "SparkImage",
    "SparkRole",
    "StudioNetwork",
    "StudioSpec",
    "TenancyContext",
    "Tenant",
    "TenantHost",
    "TenantNetwork",
    "TenantSecret",
    "TlsCertificate",
    "UserAssignment",
    "VirtualClusterOptions",
    "VirtualClusterSpec",
    "Workload",
    "WorkspaceStorage",
    "Zone",
    "glue_access",
    "lake_formation_access",
    "s3_folder",
    "s3_namespace_folder",
    "s3_user_folder",
    "studio_auth",
]

# A type checker must not see this: it would accept any name.
if not TYPE_CHECKING:
    __getattr__ = importer(__name__, exported(__file__))
    __dir__ = __all__.copy  # what an interactive shell completes
