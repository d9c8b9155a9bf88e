"""AWS CDK constructs for a multi-tenant Amazon EMR on EKS platform."""

from cdk_emr_eks.addons.karpenter import Batch, FeatureGates, Karpenter, LogLevel
from cdk_emr_eks.addons.load_balancer_controller import LoadBalancerController
from cdk_emr_eks.addons.protocol import Addon, AddonContext
from cdk_emr_eks.capacity.node_pools import NodeEnvironment, NodePools
from cdk_emr_eks.capacity.pod_templates import PodTemplateLocation, PodTemplates
from cdk_emr_eks.clusters.addon_registry import AddonRegistry
from cdk_emr_eks.clusters.cluster import ClusterSpec, EksCluster, LogType
from cdk_emr_eks.clusters.manifests import ManifestStage
from cdk_emr_eks.errors import ConfigError, Problem
from cdk_emr_eks.images.spark_image import NotebookImage, SparkImage
from cdk_emr_eks.jobs.ephemeral_jobs import EphemeralJobs
from cdk_emr_eks.jobs.job_template import JobTemplate
from cdk_emr_eks.labels import Architecture, CapacityType, Role
from cdk_emr_eks.networks.network import ExistingNetwork, Nat, Network, NetworkSpec
from cdk_emr_eks.notebooks.livy import Livy
from cdk_emr_eks.notebooks.managed_endpoint import ManagedEndpoint
from cdk_emr_eks.notebooks.spark_connect import SparkConnectEndpoint
from cdk_emr_eks.notebooks.studio import EmrStudio
from cdk_emr_eks.notebooks.studio_network import StudioNetwork
from cdk_emr_eks.notebooks.users import NotebookAccess
from cdk_emr_eks.platforms.emr_eks_cluster import EmrEksCluster
from cdk_emr_eks.platforms.imported_cluster import ImportedCapacity, ImportedEmrEksCluster
from cdk_emr_eks.platforms.notebook_platform import NotebookPlatform
from cdk_emr_eks.platforms.tenant_host import TenantHost
from cdk_emr_eks.spec.access.data_access import (
    glue_access,
    lake_formation_access,
    s3_folder,
    s3_namespace_folder,
    s3_user_folder,
)
from cdk_emr_eks.spec.access.execution_role import (
    ExecutionRoleSpec,
    JobIdentity,
    JobLogs,
    Permission,
    RoleUse,
)
from cdk_emr_eks.spec.access.lake_formation import LakeFormation
from cdk_emr_eks.spec.access.security_configuration import (
    AtRestEncryption,
    S3Encryption,
    SecurityConfigurationSpec,
    TlsCertificate,
)
from cdk_emr_eks.spec.access.tenant_secret import TenantSecret
from cdk_emr_eks.spec.admission.cluster_policies import ClusterPolicies
from cdk_emr_eks.spec.admission.job_controller import JobController
from cdk_emr_eks.spec.admission.tenant_values import Admission, AdmissionMode
from cdk_emr_eks.spec.capacity.dedicated import DedicatedPools
from cdk_emr_eks.spec.capacity.gateway_pool import GatewayPool
from cdk_emr_eks.spec.capacity.node_class import NodeClass
from cdk_emr_eks.spec.capacity.node_pool import NodePool
from cdk_emr_eks.spec.capacity.pod_template import PodTemplate
from cdk_emr_eks.spec.clusters.addon_mirror import AddonMirror
from cdk_emr_eks.spec.clusters.placement import Zone
from cdk_emr_eks.spec.ephemeral.job import EphemeralJobSpec
from cdk_emr_eks.spec.images.emr_registry import ImageKind
from cdk_emr_eks.spec.images.image import BuilderSize, ImageBuilder, ImageSpec, ImageStore
from cdk_emr_eks.spec.jobs.job_template import JobTemplateSpec, Parameter, ParameterType
from cdk_emr_eks.spec.jobs.spark_encryption import SparkEncryption
from cdk_emr_eks.spec.machines.instances import Instances
from cdk_emr_eks.spec.namespaces.namespace import LimitDefaults
from cdk_emr_eks.spec.namespaces.quota import ClassQuota, Quota
from cdk_emr_eks.spec.namespaces.tenant_network import (
    ClusterNetwork,
    NetworkPeer,
    NetworkProtocol,
    TenantNetwork,
)
from cdk_emr_eks.spec.notebooks.git_access import GitAccess, GitSecrets
from cdk_emr_eks.spec.notebooks.livy import LivySpec
from cdk_emr_eks.spec.notebooks.managed_endpoint import KernelImages, ManagedEndpointSpec
from cdk_emr_eks.spec.notebooks.notebook_endpoint import NotebookEndpoint
from cdk_emr_eks.spec.notebooks.notebook_user import IdentityType, NotebookUser
from cdk_emr_eks.spec.notebooks.spark_connect import SparkConnectSpec
from cdk_emr_eks.spec.notebooks.studio import StudioSpec
from cdk_emr_eks.spec.notebooks.studio_auth import (
    AuthMode,
    IamAuth,
    IdentityCenterAuth,
    SamlAuth,
    UserAssignment,
    studio_auth,
)
from cdk_emr_eks.spec.notebooks.workspace_storage import WorkspaceStorage
from cdk_emr_eks.spec.tenancy.tenant import Tenant
from cdk_emr_eks.spec.tenancy.virtual_cluster import EmrAccess, SchedulerLimits, VirtualClusterSpec
from cdk_emr_eks.spec.workloads.catalog import CRITICAL, DEFAULT_WORKLOADS, NOTEBOOK, SHARED
from cdk_emr_eks.spec.workloads.disruption import Disruption, Freeze
from cdk_emr_eks.spec.workloads.shapes import DriverShape, DynamicAllocation, ExecutorShape, Limits
from cdk_emr_eks.spec.workloads.storage import InstanceStore, PersistentVolumes, RootVolume
from cdk_emr_eks.spec.workloads.warm_capacity import WarmCapacity
from cdk_emr_eks.spec.workloads.workload import Workload
from cdk_emr_eks.tenancy.context import OidcProvider, TenancyContext
from cdk_emr_eks.tenancy.execution_role import ExecutionRole
from cdk_emr_eks.tenancy.job_role import JobRole
from cdk_emr_eks.tenancy.security_configuration import EmrSecurityConfiguration
from cdk_emr_eks.tenancy.shared_role import SharedExecutionRole, SharedRoleUse
from cdk_emr_eks.tenancy.tenant import EmrEksTenant
from cdk_emr_eks.tenancy.virtual_cluster import EmrServiceLinkedRole, EmrVirtualCluster
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
    "Batch",
    "BuilderSize",
    "CapacityType",
    "ClassQuota",
    "ClusterNetwork",
    "ClusterPolicies",
    "ClusterSpec",
    "ConfigError",
    "Cpu",
    "DedicatedPools",
    "Disruption",
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
    "Freeze",
    "GatewayPool",
    "GitAccess",
    "GitSecrets",
    "IamAuth",
    "IdentityCenterAuth",
    "IdentityType",
    "ImageBuilder",
    "ImageKind",
    "ImageSpec",
    "ImageStore",
    "ImportedCapacity",
    "ImportedEmrEksCluster",
    "InstanceStore",
    "Instances",
    "JobController",
    "JobIdentity",
    "JobLogs",
    "JobRole",
    "JobTemplate",
    "JobTemplateSpec",
    "Karpenter",
    "KernelImages",
    "LakeFormation",
    "LimitDefaults",
    "Limits",
    "Livy",
    "LivySpec",
    "LoadBalancerController",
    "LogLevel",
    "LogType",
    "ManagedEndpoint",
    "ManagedEndpointSpec",
    "ManifestStage",
    "Memory",
    "Nat",
    "Network",
    "NetworkPeer",
    "NetworkProtocol",
    "NetworkSpec",
    "NodeClass",
    "NodeEnvironment",
    "NodePool",
    "NodePools",
    "NotebookAccess",
    "NotebookEndpoint",
    "NotebookImage",
    "NotebookPlatform",
    "NotebookUser",
    "OidcProvider",
    "Parameter",
    "ParameterType",
    "Permission",
    "PersistentVolumes",
    "PodTemplate",
    "PodTemplateLocation",
    "PodTemplates",
    "Problem",
    "Quota",
    "Role",
    "RoleUse",
    "RootVolume",
    "S3Encryption",
    "SamlAuth",
    "SchedulerLimits",
    "SecurityConfigurationSpec",
    "SharedExecutionRole",
    "SharedRoleUse",
    "SparkConnectEndpoint",
    "SparkConnectSpec",
    "SparkEncryption",
    "SparkImage",
    "StudioNetwork",
    "StudioSpec",
    "TenancyContext",
    "Tenant",
    "TenantHost",
    "TenantNetwork",
    "TenantSecret",
    "TlsCertificate",
    "UserAssignment",
    "VirtualClusterSpec",
    "WarmCapacity",
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
