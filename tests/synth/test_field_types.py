"""Every public value refuses wrong types by itself, in words: callers may have no type checker."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import fields, is_dataclass, replace
from datetime import timedelta
from typing import Any

import pytest

import cdk_emr_eks
from cdk_emr_eks.addons.karpenter import FeatureGates, Karpenter, SchedulingBatch
from cdk_emr_eks.addons.load_balancer_controller import LoadBalancerController
from cdk_emr_eks.addons.protocol import Addon
from cdk_emr_eks.errors import ConfigError
from cdk_emr_eks.field_types import check_argument
from cdk_emr_eks.model.access.execution_role import ExecutionRoleSpec, IamPermission, JobLogs
from cdk_emr_eks.model.access.lake_formation import LakeFormation
from cdk_emr_eks.model.access.security_configuration import (
    AtRestEncryption,
    S3Encryption,
    SecurityConfigurationSpec,
    TlsCertificate,
)
from cdk_emr_eks.model.access.tenant_secrets import TenantSecret
from cdk_emr_eks.model.admission.admission import Admission, JobController
from cdk_emr_eks.model.admission.cluster_policies import ClusterPolicies
from cdk_emr_eks.model.clusters.addon_mirror import AddonMirror
from cdk_emr_eks.model.clusters.cluster import ClusterSpec
from cdk_emr_eks.model.ephemeral.job import EphemeralJobSpec
from cdk_emr_eks.model.images.image import ImageBuilder, ImageSpec, ImageStore
from cdk_emr_eks.model.instances.instances import Resources
from cdk_emr_eks.model.jobs.job_template import JobParameter, JobTemplateSpec
from cdk_emr_eks.model.jobs.spark_encryption import SparkEncryption
from cdk_emr_eks.model.namespaces.namespace import LimitDefaults
from cdk_emr_eks.model.namespaces.quota import ClassQuota, Quota
from cdk_emr_eks.model.namespaces.tenant_network import ClusterNetwork, NetworkPeer, TenantNetwork
from cdk_emr_eks.model.networks.network import NetworkSpec
from cdk_emr_eks.model.networks.zones import Zone
from cdk_emr_eks.model.nodes.dedicated import DedicatedPools
from cdk_emr_eks.model.nodes.gateway_pool import GatewayPool
from cdk_emr_eks.model.nodes.node_class import node_classes
from cdk_emr_eks.model.nodes.node_pool import NodePool, node_pools
from cdk_emr_eks.model.notebooks.livy import LivySpec
from cdk_emr_eks.model.notebooks.managed_endpoint import KernelImages, ManagedEndpointSpec
from cdk_emr_eks.model.notebooks.notebook_endpoint import NotebookEndpoint
from cdk_emr_eks.model.notebooks.notebook_user import NotebookUser
from cdk_emr_eks.model.notebooks.spark_connect import SparkConnectSpec
from cdk_emr_eks.model.notebooks.studio import (
    GitAccess,
    IamAuth,
    IdentityCenterAuth,
    SamlAuth,
    StudioSpec,
    WorkspaceStorage,
)
from cdk_emr_eks.model.pods.pod_template import PodTemplate, driver_template
from cdk_emr_eks.model.tenants.tenant import Tenant
from cdk_emr_eks.model.tenants.virtual_cluster import (
    SchedulerLimits,
    VirtualClusterOptions,
    VirtualClusterSpec,
)
from cdk_emr_eks.model.workloads.capacity_buffers import CapacityBuffers
from cdk_emr_eks.model.workloads.catalog import SHARED
from cdk_emr_eks.model.workloads.disruption import Disruption, DriftFreeze
from cdk_emr_eks.model.workloads.shapes import (
    DriverShape,
    DynamicAllocation,
    ExecutorShape,
    NodePoolLimits,
)
from cdk_emr_eks.model.workloads.storage import PersistentVolumes, RootVolume
from cdk_emr_eks.units import Cpu, Memory

POOL = node_pools(SHARED, (Zone.named("us-east-1a"),))[0]
READ = IamPermission(actions=("s3:GetObject",), resources=("*",))
QUOTA = Quota(cpu=Cpu.cores(8), memory=Memory.from_gib(32))
JOB = JobTemplateSpec(name="job", workload="shared", entry_point="s3://bucket/job.py")
EPHEMERAL = EphemeralJobSpec(name="job", workload="shared", entry_point="s3://bucket/job.py")
TLS = TlsCertificate(
    certificate_secret_arn="arn:aws:secretsmanager:eu-west-1:111122223333:secret:public",
    private_key_secret_arn="arn:aws:secretsmanager:eu-west-1:111122223333:secret:private",
)
SAML = SamlAuth(provider_arn="arn:aws:iam::111122223333:saml-provider/company")
CENTER = IdentityCenterAuth(instance_arn="arn:aws:sso:::instance/ssoins-1234567890abcdef")

VALUES: tuple[object, ...] = (
    *(SHARED, SHARED.driver_instances, POOL, node_classes([SHARED])[0], Zone.named("us-east-1a")),
    *(DriverShape(), ExecutorShape(), DynamicAllocation(), POOL.limits, Disruption()),
    *(
        DriftFreeze(schedule="@daily", duration=timedelta(hours=1)),
        RootVolume(),
        PersistentVolumes(),
    ),
    *(CapacityBuffers(jobs=1), Admission(), SparkEncryption(), TenantSecret(name="data/db")),
    *(LakeFormation(session_tag_value="emr"), JobController(roles=("emr-data",))),
    *(
        ClusterPolicies(),
        ClusterNetwork(),
        NetworkPeer(cidr="10.0.0.0/8", ports=(1,)),
        TenantNetwork(),
    ),
    *(
        ClassQuota(pods=1),
        DedicatedPools(
            workload=SHARED,
            driver_limits=SHARED.driver_limits,
            executor_limits=SHARED.executor_limits,
        ),
    ),
    *(Tenant(name="data"), QUOTA, LimitDefaults(), ExecutionRoleSpec(name="data"), READ, JobLogs()),
    *(VirtualClusterSpec(name="data"), VirtualClusterOptions()),
    SchedulerLimits(max_concurrent_job_runs=5),
    *(SecurityConfigurationSpec(), TLS, AtRestEncryption(s3=S3Encryption.SSE_S3)),
    *(ManagedEndpointSpec(name="notebooks"), KernelImages(spark="r.io/a@sha256:" + "0" * 64)),
    *(NotebookEndpoint(name="team"), NotebookUser(identity_name="ann", endpoints=("team",))),
    *(GatewayPool(), LoadBalancerController(), AddonMirror(account="111122223333")),
    *(SparkConnectSpec(name="connect"), LivySpec(upload_uri="s3://bucket/livy")),
    *(StudioSpec(name="research"), IamAuth(), SAML, CENTER, GitAccess(), WorkspaceStorage()),
    EPHEMERAL,
    *(JOB, JobParameter(), PodTemplate(driver_template(SHARED)), NetworkSpec(), ClusterSpec()),
    *(ImageSpec(name="i", requirements=("a==1",)), ImageBuilder(), ImageStore()),
    *(Karpenter(), FeatureGates(), SchedulingBatch(), Cpu(1), Memory(1)),
)
FIELDS = [(value, each.name) for value in VALUES for each in fields(value)]  # type: ignore[arg-type]

# Their fields are the CDK's own constructs; tests/synth has them.
WITH_CONSTRUCTS = {
    "AddonContext",
    "ExistingNetwork",
    "ImportedPlatform",
    "NodeEnvironment",
    "Platform",
} | {*("OidcProvider", "StudioNetwork", "TenancyContext")}
# Values that only the library creates, and a choice without fields.
GIVEN = {"InstanceStore", "PodTemplateLocation", "ConfigProblem"}


def test_every_public_value_is_among_those_checked_here() -> None:
    public = {
        name
        for name in cdk_emr_eks.__all__
        if isinstance(found := getattr(cdk_emr_eks, name), type) and is_dataclass(found)
    }
    checked = {type(value).__name__ for value in VALUES}
    assert public - WITH_CONSTRUCTS - GIVEN <= checked


@pytest.mark.parametrize(
    ("value", "field"), FIELDS, ids=[f"{type(value).__name__}.{field}" for value, field in FIELDS]
)
def test_no_field_takes_a_value_of_another_type(value: Any, field: str) -> None:
    with pytest.raises(ConfigError) as refused:
        replace(value, **{field: object()})
    assert field in refused.value.fields


def workload(**changes: object) -> Callable[[], object]:
    return lambda: replace(SHARED, **changes)  # type: ignore[arg-type]


def tenant(**changes: object) -> Callable[[], object]:
    return lambda: Tenant(name="data", **changes)  # type: ignore[arg-type]


def pool(**changes: object) -> Callable[[], NodePool]:
    return lambda: replace(POOL, **changes)  # type: ignore[arg-type]


MISTAKES: Mapping[str, tuple[Callable[[], object], str]] = {
    "text for a member": (
        workload(executor_capacity="spot"),
        "Workload 'shared': executor_capacity must be one of CapacityType.ON_DEMAND, "
        "CapacityType.SPOT, got 'spot'; write CapacityType.SPOT.",
    ),
    "a driver on spot, as text": (
        pool(role="driver", capacity_type="spot"),
        "NodePool 'shared-driver-us-east-1a':\n"
        "  - role must be one of SparkRole.DRIVER, SparkRole.EXECUTOR, got 'driver'; write "
        "SparkRole.DRIVER.\n"
        "  - capacity_type must be one of CapacityType.ON_DEMAND, CapacityType.SPOT, got "
        "'spot'; write CapacityType.SPOT.",
    ),
    "text in a tuple of members": (
        workload(architectures=("arm64",)),
        "Workload 'shared': architectures must be a tuple of Architecture, got 'arm64'; "
        "write Architecture.ARM64.",
    ),
    "a list for a tuple": (
        tenant(workloads=["shared"]),
        "Tenant 'data': workloads must be a tuple of text, got ['shared']; write ('shared',).",
    ),
    "text for a tuple": (
        tenant(workloads="shared"),
        "Tenant 'data': workloads must be a tuple of text, got 'shared'; write ('shared',).",
    ),
    "a value for its name": (
        tenant(workloads=(SHARED,)),
        "Tenant 'data': workloads must be a tuple of text, "
        "got <class 'cdk_emr_eks.model.workloads.workload.Workload'>.",
    ),
    "one for a tuple of one": (
        tenant(execution_roles=ExecutionRoleSpec(name="data")),
        "Tenant 'data': execution_roles must be a tuple of ExecutionRoleSpec, "
        "got <class 'cdk_emr_eks.model.access.execution_role.ExecutionRoleSpec'>.",
    ),
    "numbers for amounts": (
        lambda: Quota(cpu=100, memory=400),  # type: ignore[arg-type]
        "Quota:\n"
        "  - cpu must be Cpu, got 100; write Cpu.cores(4) or Cpu(500) for millicores.\n"
        "  - memory must be Memory, got 400; write Memory.from_gib(4) or Memory(512) for MiB.",
    ),
    "amounts exchanged": (
        lambda: NodePoolLimits(cpu=Memory(1), memory=Memory(1)),  # type: ignore[arg-type]
        "NodePoolLimits: cpu must be Cpu, got <class 'cdk_emr_eks.units.Memory'>; "
        "write Cpu.cores(4) or Cpu(500) for millicores.",
    ),
    "seconds for a time": (
        workload(job_start_timeout=1800),
        "Workload 'shared': job_start_timeout must be timedelta, got 1800; "
        "write datetime.timedelta(minutes=5).",
    ),
    "nothing for something": (
        tenant(tags=None),
        "Tenant 'data': tags must be a mapping of text to text, not None.",
    ),
    "a number in tags": (
        tenant(tags={"floor": 4}),
        "Tenant 'data': tags must have text as the value of 'floor', got 4; write '4'.",
    ),
    "a class for its value": (
        workload(executor=ExecutorShape),
        "Workload 'shared': executor must be ExecutorShape, "
        "got <class 'cdk_emr_eks.model.workloads.shapes.ExecutorShape'>; write ExecutorShape().",
    ),
    "numbers within a named tuple": (
        lambda: Karpenter(resources=Resources(1, Memory(2048))),  # type: ignore[arg-type]
        "Karpenter: resources must have Cpu as its cpu, got 1; "
        "write Cpu.cores(4) or Cpu(500) for millicores.",
    ),
    "yes for True": (
        lambda: FeatureGates(node_repair="yes"),  # type: ignore[arg-type]
        "FeatureGates: node_repair must be True or False, got 'yes'.",
    ),
    "True for a number": (
        workload(priority=True),
        "Workload 'shared': priority must be a whole number, got True.",
    ),
}


@pytest.mark.parametrize("case", MISTAKES)
def test_a_mistake_is_refused_in_words(case: str) -> None:
    make, message = MISTAKES[case]
    with pytest.raises(ConfigError) as refused:
        make()
    assert str(refused.value) == message


def test_a_whole_number_does_for_a_number() -> None:
    with pytest.raises(ConfigError, match=r"overhead_share must be from 0\.05 to 0\.8, got 1\."):
        DriverShape(overhead_share=1)


def test_a_value_keeps_its_mappings_whatever_becomes_of_the_callers() -> None:
    tags = {"cost-center": "42"}
    container: dict[str, object] = {"name": "spark-kubernetes-driver"}
    pod = {"apiVersion": "v1", "kind": "Pod", "spec": {"containers": [container]}}
    keys = {"aws:ResourceTag/team": "data"}
    held: tuple[tuple[object, str, Mapping[str, object]], ...] = (
        (Tenant(name="data", tags=tags), "tags", {**tags}),
        (VirtualClusterSpec(name="data", tags=tags), "tags", {**tags}),
        (
            JobTemplateSpec(name="job", workload="shared", entry_point="s3://b/j.py", tags=tags),
            "tags",
            {**tags},
        ),
        (PodTemplate(pod), "content", deepcopy(pod)),
        (
            IamPermission(
                actions=("s3:GetObject",),
                resources=("arn:aws:s3:::b/*",),
                conditions={"StringEquals": keys},
            ),
            "conditions",
            {"StringEquals": {**keys}},
        ),
    )
    tags["aws:reserved"] = "x"
    container["image"] = "another/image"
    keys.clear()
    for value, field, before in held:
        assert getattr(value, field) == before, value
        with pytest.raises(TypeError):
            getattr(value, field)["more"] = "x"


def test_an_object_with_the_members_of_an_interface_is_accepted() -> None:
    # Code that exec runs has no module.
    space: dict[str, Any] = {}
    exec(
        "class Agent:\n"
        "    name: str = 'Agent'\n"
        "    requires = ()\n"
        "    def install(self, scope, context): ...\n",
        space,
    )
    check_argument("Cluster", "addon", Addon, space["Agent"]())
    with pytest.raises(ConfigError, match="addon must be Addon"):
        check_argument("Cluster", "addon", Addon, SHARED)
    with pytest.raises(ConfigError, match="addon must be Addon"):
        check_argument("Cluster", "addon", Addon, "Karpenter")
