"""Every public value refuses fields of another type: callers may have no type checker."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from dataclasses import fields, is_dataclass, replace
from datetime import timedelta
from importlib import import_module
from typing import Any, NewType, Protocol

import pytest

import cdk_emr_eks
from cdk_emr_eks.errors import ConfigError
from cdk_emr_eks.field_types import (
    check_argument,
    fast_test,
    may_be_mapping,
    type_problems,
)
from cdk_emr_eks.labels import CapacityType
from cdk_emr_eks.lazy_exports import exported
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
from tests.refusals import Call, refusals, refused

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
    *(GatewayPool(), AddonMirror(account="111122223333")),
    *(SparkConnectSpec(name="connect"), LivySpec(upload_uri="s3://bucket/livy")),
    *(StudioSpec(name="research"), IamAuth(), SAML, CENTER, GitAccess(), WorkspaceStorage()),
    EPHEMERAL,
    *(JOB, JobParameter(), PodTemplate(driver_template(SHARED)), NetworkSpec(), ClusterSpec()),
    *(ImageSpec(name="i", requirements=("a==1",)), ImageBuilder(), ImageStore()),
    *(Cpu(1), Memory(1)),
)
FIELDS = [(value, each.name) for value in VALUES for each in fields(value)]  # type: ignore[arg-type]

# Values that only the library creates, and a choice without fields.
GIVEN = {"InstanceStore", "PodTemplateLocation", "ConfigProblem"}


def test_every_public_value_without_constructs_is_among_those_checked_here() -> None:
    modules = exported(cdk_emr_eks.__file__)
    values = [
        name
        for name, module in modules.items()
        if module.startswith(("cdk_emr_eks.model.", "cdk_emr_eks.units", "cdk_emr_eks.errors"))
        and isinstance(found := getattr(import_module(module), name), type)
        and is_dataclass(found)
    ]
    assert set(values) - GIVEN <= {type(value).__name__ for value in VALUES}


@pytest.mark.parametrize(
    ("value", "field"), FIELDS, ids=[f"{type(value).__name__}.{field}" for value, field in FIELDS]
)
def test_no_field_accepts_an_object_of_another_type(value: Any, field: str) -> None:
    with pytest.raises(ConfigError) as caught:
        replace(value, **{field: object()})
    assert field in caught.value.fields


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
        "got <class 'cdk_emr_eks.model.access.execution_role.ExecutionRoleSpec'>; write a tuple, "
        "with a comma after a single value: (value,).",
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
        workload(node_headroom=Resources(1, Memory(2048))),  # type: ignore[arg-type]
        "Workload 'shared': node_headroom must have Cpu as its cpu, got 1; "
        "write Cpu.cores(4) or Cpu(500) for millicores.",
    ),
    "yes for True": (
        workload(per_zone="yes"),
        "Workload 'shared': per_zone must be True or False, got 'yes'.",
    ),
    "True for a number": (
        workload(priority=True),
        "Workload 'shared': priority must be a whole number, got True.",
    ),
}


@refusals(MISTAKES)
def test_a_value_of_another_type_is_refused(call: Call, message: str) -> None:
    assert refused(call) == message


def test_a_whole_number_does_for_a_number() -> None:
    with pytest.raises(ConfigError, match=r"overhead_share must be from 0\.05 to 0\.8, got 1\."):
        DriverShape(overhead_share=1)


def test_a_value_keeps_read_only_copies_of_mappings() -> None:
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


class Agent(Protocol):
    """An interface: an attribute with a type, a property and a method."""

    name: str

    @property
    def requires(self) -> tuple[str, ...]: ...

    def install(self, scope: object) -> None: ...


def test_an_object_with_the_members_of_an_interface_is_accepted() -> None:
    # Code that exec runs has no module.
    space: dict[str, Any] = {}
    exec(
        "class Mine:\n"
        "    name: str = 'Mine'\n"
        "    requires = ()\n"
        "    def install(self, scope): ...\n"
        "class Less:\n"
        "    name: str = 'Less'\n"
        "    requires = ()\n",
        space,
    )
    check_argument("Cluster", "agent", Agent, space["Mine"]())
    for wrong in (space["Less"](), SHARED, "Karpenter", None):
        with pytest.raises(ConfigError, match="agent must be Agent"):
            check_argument("Cluster", "agent", Agent, wrong)


class Bucket(Protocol):
    """An interface of the CDK, which is not checked by its members."""

    __jsii_type__: str = "aws-cdk-lib.aws_s3.IBucket"

    def grant(self) -> None: ...


def test_an_interface_of_the_cdk_refuses_plain_python_values() -> None:
    check_argument("Log", "bucket", Bucket, SHARED)
    with pytest.raises(ConfigError, match="bucket must be Bucket, got 'name'"):
        check_argument("Log", "bucket", Bucket, "name")


@pytest.mark.parametrize(
    ("hint", "given", "words"),
    [
        (int, 1.0, "must be a whole number, got 1.0"),
        (float, True, "must be a number, got True"),
        (str, 1.5, "must be text, got 1.5; write '1.5'"),
        (str, True, "must be text, got True; write 'true'"),
        (type(None), 1, "must be None, got 1"),
        (int | str, (), "must be a whole number or text, got ()"),
        (int | None, "a", "must be a whole number or None, got 'a'"),
        (Sequence[str], "a", "must be a list or tuple of text, got 'a'"),
        (Sequence[str], [1], "must be a list or tuple of text, got 1; write '1'"),
        (tuple[str, ...], [1], "must be a tuple of text, got [1]"),
        (tuple[int, ...], [1], "must be a tuple of a whole number, got [1]"),
        (Mapping[str, int], {1: 1}, "must have text as its keys, got 1; write '1'"),
        (Mapping[str, int], {"a": "b"}, "must have a whole number as the value of 'a', got 'b'"),
        (Mapping, 1, "must be a mapping, got 1"),
        (CapacityType, "SPOT", "got 'SPOT'; write CapacityType.SPOT"),
        (CapacityType, "x", "one of CapacityType.ON_DEMAND, CapacityType.SPOT, got 'x'"),
        (tuple[CapacityType, ...] | None, "spot", "must be a tuple of CapacityType or None"),
        (CapacityType | None, "spot", "got 'spot'; write CapacityType.SPOT"),
        (str | None, 1, "must be text or None, got 1; write '1'"),
        (Mapping[str, int] | None, {"a": "b"}, "a whole number as the value of 'a', got 'b'"),
        (Callable[[], int], 1, "got 1"),
    ],
)
def test_types_in_words(hint: object, given: object, words: str) -> None:
    text = refused(lambda: check_argument("Where", "x", hint, given))
    assert text.startswith("Where: x must ")
    assert words in text


@pytest.mark.parametrize(
    ("hint", "given"),
    [
        (int, 1),
        (float, 1),
        (float, 1.5),
        (object, None),
        (int | None, None),
        (Sequence[str], ["a"]),
        (Sequence[str], ("a",)),
        (tuple[str, ...], ()),
        (Mapping[str, int], {}),
        (Mapping[str, int], {"a": 1}),
        (Resources, Resources(Cpu(1), Memory(1))),
    ],
)
def test_values_of_the_type_pass(hint: object, given: object) -> None:
    check_argument("Where", "x", hint, given)
    assert fast_test(hint)(given)


def test_the_fast_test_agrees_with_the_words() -> None:
    hints = (int, float, str, bool, object, int | None, Resources, Memory, timedelta)
    hints += (tuple[str, ...], Sequence[str], Mapping[str, int], CapacityType, Agent)  # type: ignore[assignment]
    givens: tuple[object, ...] = (
        1,
        True,
        1.5,
        "a",
        None,
        (),
        ("a",),
        (1,),
        ["a"],
        {},
        {"a": 1},
        {"a": "b"},
        {1: 1},
    )
    more = (Cpu(1), Memory(1), timedelta(1), Resources(Cpu(1), Memory(1)), CapacityType.SPOT)
    for hint in hints:
        for given in (*givens, *more, Resources(1, Memory(1))):  # type: ignore[arg-type]
            assert fast_test(hint)(given) is (not type_problems("x", hint, given)), (hint, given)


@pytest.mark.parametrize(
    ("hint", "holds"),
    [
        (Mapping[str, str], True),
        (Mapping[str, str] | None, True),
        (object, True),
        (dict, True),
        (str, False),
        (tuple[str, ...], False),
        (int | None, False),
    ],
)
def test_fields_that_can_hold_a_mapping(hint: object, holds: bool) -> None:
    assert may_be_mapping(hint) is holds


def test_an_annotation_that_is_no_class_accepts_each_value() -> None:
    hint = NewType("hint", str)
    for given in ("a", 1, None):
        assert fast_test(hint)(given)
        assert type_problems("x", hint, given) == ()
