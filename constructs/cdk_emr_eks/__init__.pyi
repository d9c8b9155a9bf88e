"""AWS CDK constructs for a multi-tenant Amazon EMR on EKS platform."""

from cdk_emr_eks.addons.karpenter import FeatureGates, Karpenter
from cdk_emr_eks.addons.load_balancer_controller import LoadBalancerController
from cdk_emr_eks.addons.protocol import Addon, AddonContext
from cdk_emr_eks.cluster import ClusterSpec, EksCluster, LogType
from cdk_emr_eks.emr_eks_cluster import EmrEksCluster
from cdk_emr_eks.errors import ConfigError, Problem
from cdk_emr_eks.execution_role import ExecutionRole
from cdk_emr_eks.images.spark_image import NotebookImage, SparkImage
from cdk_emr_eks.imported_cluster import ImportedCapacity, ImportedEmrEksCluster
from cdk_emr_eks.job_role import JobRole
from cdk_emr_eks.jobs.ephemeral_jobs import EphemeralJobs
from cdk_emr_eks.jobs.job_template import JobTemplate
from cdk_emr_eks.labels import Architecture, CapacityType, Role
from cdk_emr_eks.manifests import ManifestStage
from cdk_emr_eks.network import ExistingNetwork, Nat, Network, NetworkSpec
from cdk_emr_eks.node_pools import NodeEnvironment, NodePools
from cdk_emr_eks.notebook_platform import NotebookPlatform
from cdk_emr_eks.notebooks.livy import Livy
from cdk_emr_eks.notebooks.managed_endpoint import ManagedEndpoint
from cdk_emr_eks.notebooks.spark_connect import SparkConnectEndpoint
from cdk_emr_eks.notebooks.studio import EmrStudio
from cdk_emr_eks.notebooks.studio_network import StudioNetwork
from cdk_emr_eks.notebooks.users import NotebookAccess
from cdk_emr_eks.pod_templates import PodTemplateLocation, PodTemplates
from cdk_emr_eks.security_configuration import EmrSecurityConfiguration
from cdk_emr_eks.shared_role import SharedExecutionRole, SharedRoleUse
from cdk_emr_eks.spec.admission.tenant_values import Admission, AdmissionMode
from cdk_emr_eks.spec.catalog import CRITICAL, DEFAULT_WORKLOADS, NOTEBOOK, SHARED
from cdk_emr_eks.spec.data_access import (
    glue_access,
    lake_formation_access,
    s3_folder,
    s3_namespace_folder,
    s3_user_folder,
)
from cdk_emr_eks.spec.dedicated import DedicatedPools
from cdk_emr_eks.spec.disruption import Disruption
from cdk_emr_eks.spec.emr_registry import ImageKind
from cdk_emr_eks.spec.ephemeral.job import EphemeralJobSpec
from cdk_emr_eks.spec.execution_role import (
    ExecutionRoleSpec,
    JobIdentity,
    JobLogs,
    Permission,
    RoleUse,
)
from cdk_emr_eks.spec.gateway_pool import GatewayPool
from cdk_emr_eks.spec.git_access import GitAccess, GitSecrets
from cdk_emr_eks.spec.image import BuilderSize, ImageBuilder, ImageSpec, ImageStore
from cdk_emr_eks.spec.instances import Instances
from cdk_emr_eks.spec.job_template import JobTemplateSpec, Parameter, ParameterType
from cdk_emr_eks.spec.lake_formation import LakeFormation
from cdk_emr_eks.spec.livy import LivySpec
from cdk_emr_eks.spec.managed_endpoint import KernelImages, ManagedEndpointSpec
from cdk_emr_eks.spec.namespace import LimitDefaults
from cdk_emr_eks.spec.node_class import NodeClass
from cdk_emr_eks.spec.node_pool import NodePool
from cdk_emr_eks.spec.notebook_endpoint import NotebookEndpoint
from cdk_emr_eks.spec.notebook_user import IdentityType, NotebookUser
from cdk_emr_eks.spec.placement import Zone
from cdk_emr_eks.spec.pod_template import PodTemplate
from cdk_emr_eks.spec.quota import ClassQuota, Quota
from cdk_emr_eks.spec.security_configuration import (
    AtRestEncryption,
    S3Encryption,
    SecurityConfigurationSpec,
    TlsCertificate,
)
from cdk_emr_eks.spec.shapes import DriverShape, DynamicAllocation, ExecutorShape, Limits
from cdk_emr_eks.spec.spark_connect import SparkConnectSpec
from cdk_emr_eks.spec.spark_encryption import SparkEncryption
from cdk_emr_eks.spec.storage import InstanceStore, PersistentVolumes, RootVolume
from cdk_emr_eks.spec.studio import StudioSpec
from cdk_emr_eks.spec.studio_auth import (
    AuthMode,
    IamAuth,
    IdentityCenterAuth,
    SamlAuth,
    UserAssignment,
    studio_auth,
)
from cdk_emr_eks.spec.tenancy import Tenant
from cdk_emr_eks.spec.tenant_network import (
    ClusterNetwork,
    NetworkPeer,
    NetworkProtocol,
    TenantNetwork,
)
from cdk_emr_eks.spec.tenant_secret import TenantSecret
from cdk_emr_eks.spec.virtual_cluster import EmrAccess, SchedulerLimits, VirtualClusterSpec
from cdk_emr_eks.spec.warm_capacity import WarmCapacity
from cdk_emr_eks.spec.workload import Workload
from cdk_emr_eks.spec.workspace_storage import WorkspaceStorage
from cdk_emr_eks.tenancy_context import OidcProvider, TenancyContext
from cdk_emr_eks.tenant import EmrEksTenant
from cdk_emr_eks.tenant_host import TenantHost
from cdk_emr_eks.units import Cpu, Memory
from cdk_emr_eks.virtual_cluster import EmrServiceLinkedRole, EmrVirtualCluster

__all__ = [
    "CRITICAL",
    "DEFAULT_WORKLOADS",
    "NOTEBOOK",
    "SHARED",
    "Addon",
    "AddonContext",
    "Admission",
    "AdmissionMode",
    "Architecture",
    "AtRestEncryption",
    "AuthMode",
    "BuilderSize",
    "CapacityType",
    "ClassQuota",
    "ClusterNetwork",
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
