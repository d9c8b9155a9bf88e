"""The first and the last value that each field takes, and the next ones, which it refuses."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any, Final

import pytest

from cdk_emr_eks import (
    SHARED,
    AuthMode,
    ClassQuota,
    ClusterSpec,
    ConfigError,
    Cpu,
    Disruption,
    DriverShape,
    DynamicAllocation,
    EphemeralJobSpec,
    ExecutorShape,
    IdentityType,
    ImageBuilder,
    ImageStore,
    JobParameter,
    JobTemplateSpec,
    LimitDefaults,
    LivySpec,
    ManagedEndpointSpec,
    Memory,
    NetworkPeer,
    NetworkSpec,
    NodePoolLimits,
    NotebookUser,
    PersistentVolumes,
    Quota,
    RootVolume,
    SamlAuth,
    SchedulerLimits,
    SecurityConfigurationSpec,
    SparkConnectSpec,
    StudioSpec,
    Tenant,
    TenantNetwork,
    VirtualClusterSpec,
    WorkspaceStorage,
    Zone,
)
from cdk_emr_eks.model.access.security_configuration import system_namespace_problems
from cdk_emr_eks.model.nodes.node_pool import node_pools
from cdk_emr_eks.model.notebooks.endpoints import session_properties
from cdk_emr_eks.model.notebooks.notebook_user import check_users

Build = Callable[[Any], object]

DAY: Final = timedelta(days=1)
HOUR: Final = timedelta(hours=1)
MINUTE: Final = timedelta(minutes=1)
SECOND: Final = timedelta(seconds=1)
MILLISECOND: Final = timedelta(milliseconds=1)

INITIAL: Final = {"spark.dynamicAllocation.initialExecutors": "0"}
QUOTA: Final = Quota(cpu=Cpu.cores(100), memory=Memory.from_gib(400))
POOL: Final = node_pools(SHARED, (Zone.named("eu-west-1a"),))[0]


def letters(count: int) -> str:
    return "a" * count


def many(count: int) -> dict[str, str]:
    return {f"key{number}": "value" for number in range(count)}


def template(**options: Any) -> JobTemplateSpec:
    given = {"name": "job", "workload": "shared", "entry_point": "s3://bucket/job.py"}
    return JobTemplateSpec(**{**given, **options})


def ephemeral(**options: Any) -> EphemeralJobSpec:
    given = {"name": "job", "workload": "shared", "entry_point": "s3://bucket/job.py"}
    return EphemeralJobSpec(**{**given, **options})


def endpoint(**options: Any) -> ManagedEndpointSpec:
    return ManagedEndpointSpec(name="analysts", **options)


def user(**options: Any) -> NotebookUser:
    return NotebookUser(**{"identity_name": "ann", "endpoints": ("analysts",), **options})


def named(length: int, mode: AuthMode, kind: str | None) -> object:
    identity = None if kind is None else IdentityType(kind)
    return user(identity_name=letters(length), identity_type=identity).kind(mode)


def people(count: int, kind: IdentityType) -> list[NotebookUser]:
    return [user(identity_name=f"name{i}", identity_type=kind) for i in range(count)]


def system_namespace(field: str, namespace: str) -> None:
    found = system_namespace_problems(field, None, namespace, other="the tenant's namespace")
    if found:
        raise ConfigError("Tenant", found)


def livy(**options: Any) -> LivySpec:
    return LivySpec(upload_uri="s3://bucket/livy/", **options)


def dynamic(**options: Any) -> DynamicAllocation:
    return DynamicAllocation(**options)


def root(**options: Any) -> RootVolume:
    return RootVolume(**options)


# Name of the row, how a value is built, values that are allowed, values that are refused. Most
# fields have both ends of a range in each tuple.
LIMITS: Final[tuple[tuple[str, Build, tuple[Any, ...], tuple[Any, ...]], ...]] = (
    # ---- workloads
    ("root volume", lambda n: root(size=Memory.from_gib(n)), (20,), (19,)),
    ("iops", lambda n: root(size=Memory.from_gib(200), iops=n), (3_000, 80_000), (2_999, 80_001)),
    ("iops of size", lambda n: root(size=Memory.from_gib(20), iops=n), (10_000,), (10_001,)),
    (
        "throughput",
        lambda n: root(iops=8_000, throughput_mib=n),
        (125, 2_000),
        (124, 2_001),
    ),
    ("throughput of iops", lambda n: root(iops=3_000, throughput_mib=n), (750,), (751,)),
    ("volumes", lambda n: PersistentVolumes(count=n), (1, 8), (0, 9)),
    ("volume size", lambda mib: PersistentVolumes(size=Memory(mib)), (1024, 2048), (0, 1023, 1025)),
    ("least executors", lambda n: dynamic(min_executors=n), (0, 40), (-1, 41)),
    ("most executors", lambda n: dynamic(max_executors=n), (1,), (0,)),
    (
        "first executors",
        lambda n: dynamic(min_executors=2, max_executors=9, initial_executors=n),
        (2, 9),
        (1, 10),
    ),
    ("batch", lambda n: dynamic(batch_size=n), (1, 500), (0, 501)),
    ("idle", lambda t: dynamic(executor_idle_timeout=t), (SECOND,), (MILLISECOND, SECOND * 1.5)),
    ("shuffle", lambda t: dynamic(shuffle_timeout=t), (SECOND,), (MILLISECOND, SECOND * 1.5)),
    ("cores of a driver", lambda n: DriverShape(cores=n), (1, 64), (0, 65)),
    ("cores of an executor", lambda n: ExecutorShape(cores=n), (1, 64), (0, 65)),
    ("overhead", lambda share: DriverShape(overhead_share=share), (0.05, 0.8), (0.049, 0.801)),
    ("memory of a pod", lambda mib: ExecutorShape(memory=Memory(mib)), (1024,), (1023,)),
    ("cpu of a pool", lambda n: NodePoolLimits(cpu=Cpu(n), memory=Memory(1)), (1,), (0,)),
    ("memory of a pool", lambda n: NodePoolLimits(cpu=Cpu(1), memory=Memory(n)), (1,), (0,)),
    ("priority", lambda n: replace(SHARED, priority=n), (0, 1_000_000), (-1, 1_000_001)),
    ("name of a workload", lambda n: replace(SHARED, name=letters(n)), (1, 20), (0, 21)),
    (
        "start of a job",
        lambda t: replace(SHARED, job_start_timeout=t),
        (120 * SECOND,),
        (119 * SECOND, 120.5 * SECOND),
    ),
    (
        "consolidation of drivers",
        lambda t: Disruption(driver_consolidate_after=t),
        (SECOND,),
        (timedelta(0), SECOND * 1.5),
    ),
    (
        "expiry",
        lambda t: Disruption(expire_after=t, longest_job=HOUR),
        (2 * HOUR,),
        (HOUR, 2.5 * HOUR),
    ),
    ("longest job", lambda t: Disruption(longest_job=t), (HOUR,), (timedelta(0), 1.5 * HOUR)),
    # ---- nodes, networks, clusters
    ("weight", lambda n: replace(POOL, weight=n), (1, 100), (0, 101)),
    ("key of a zone", lambda n: Zone(key=letters(n), name="eu-west-1a"), (1, 17), (0, 18)),
    ("zones", lambda n: NetworkSpec(zones=n), (2, 6), (1, 7)),
    (
        "named zones",
        lambda n: NetworkSpec(zones=tuple(f"eu-west-1{c}" for c in "abcdefg"[:n])),
        (2, 6),
        (1, 7),
    ),
    ("block of a VPC", lambda n: NetworkSpec(cidr=f"10.0.0.0/{n}"), (16, 21), (15, 29)),
    ("nodes of the system", lambda n: ClusterSpec(system_nodes=n), (2, 3), (0, 1)),
    (
        "public access",
        lambda n: ClusterSpec(public_access_cidrs=tuple(f"203.0.113.{i}/32" for i in range(n))),
        (1, 40),
        (41,),
    ),
    (
        "width of public access",
        lambda text: ClusterSpec(public_access_cidrs=(text,)),
        ("128.0.0.0/1",),
        ("0.0.0.0/0",),
    ),
    ("range of services", lambda n: ClusterSpec(service_cidr=f"10.96.0.0/{n}"), (12, 24), (11, 25)),
    # ---- namespaces
    ("cpu quota", lambda n: replace(QUOTA, cpu=Cpu(n)), (1,), (0,)),
    ("memory quota", lambda n: replace(QUOTA, memory=Memory(n)), (1,), (0,)),
    ("pods", lambda n: replace(QUOTA, pods=n), (1,), (0, -1)),
    ("volume claims", lambda n: replace(QUOTA, volume_claims=n), (0, 1), (-1,)),
    ("storage", lambda n: replace(QUOTA, storage=Memory(n)), (1,), (0,)),
    ("disk of pods", lambda n: replace(QUOTA, ephemeral_storage=Memory(n)), (1,), (0,)),
    ("services", lambda n: replace(QUOTA, services=n), (1,), (0,)),
    ("config maps", lambda n: replace(QUOTA, config_maps=n), (1,), (0,)),
    ("secrets", lambda n: replace(QUOTA, secrets=n), (1,), (0,)),
    ("jobs", lambda n: replace(QUOTA, jobs=n), (1,), (0,)),
    ("cpu of a class", lambda n: ClassQuota(cpu=Cpu(n)), (1,), (0,)),
    ("memory of a class", lambda n: ClassQuota(memory=Memory(n)), (1,), (0,)),
    ("pods of a class", lambda n: ClassQuota(pods=n), (1,), (0,)),
    ("default cpu", lambda n: LimitDefaults(cpu=Cpu(n)), (1,), (0,)),
    ("default memory", lambda n: LimitDefaults(memory=Memory(n)), (1,), (0,)),
    ("default disk", lambda n: LimitDefaults(ephemeral_storage=Memory(n)), (1,), (0,)),
    ("port", lambda n: NetworkPeer(cidr="10.1.0.0/16", ports=(n,)), (1, 65_535), (0, 65_536)),
    (
        "ports",
        lambda n: NetworkPeer(cidr="10.1.0.0/16", ports=tuple(range(1, n + 1))),
        (1, 20),
        (21,),
    ),
    ("port of a gateway", lambda n: TenantNetwork(gateway_port=n), (1, 65_535), (0, 65_536)),
    # ---- jobs
    ("default of a parameter", lambda n: JobParameter(default=letters(n)), (1, 1_024), (1_025,)),
    ("entry point", lambda n: template(entry_point=letters(n)), (1, 256), (0, 257)),
    ("options", lambda n: template(submit_parameters=letters(n)), (0, 102_400), (102_401,)),
    ("argument", lambda n: template(arguments=(letters(n),)), (1, 10_280), (0, 10_281)),
    ("tags of a template", lambda n: template(tags=many(n)), (0, 50), (51,)),
    (
        "parameters",
        lambda n: template(
            parameters={f"p{i}": JobParameter() for i in range(n)},
            arguments=tuple(f"${{p{i}}}" for i in range(n)),
        ),
        (1, 100),
        (101,),
    ),
    ("entry point, own namespace", lambda n: ephemeral(entry_point=letters(n)), (1, 256), (0, 257)),
    (
        "options, own namespace",
        lambda n: ephemeral(submit_parameters=letters(n)),
        (0, 102_400),
        (102_401,),
    ),
    (
        "argument, own namespace",
        lambda n: ephemeral(arguments=(letters(n),)),
        (1, 10_280),
        (0, 10_281),
    ),
    ("time limit", lambda n: ephemeral(timeout_minutes=n), (1, 10_080), (0, 10_081)),
    # ---- tenants and access
    ("jobs at a time", lambda n: SchedulerLimits(max_concurrent_job_runs=n), (1, 1000), (0, 1001)),
    ("jobs that wait", lambda n: SchedulerLimits(max_in_queue_job_runs=n), (1, 1000), (0, 1001)),
    ("tags", lambda n: VirtualClusterSpec(name="team", tags=many(n)), (0, 50), (51,)),
    ("key of a tag", lambda n: Tenant(name="team", tags={letters(n): "x"}), (1, 128), (0, 129)),
    ("value of a tag", lambda n: Tenant(name="team", tags={"x": letters(n)}), (0, 256), (257,)),
    (
        "name of a security configuration",
        lambda n: SecurityConfigurationSpec(name=letters(n)),
        (1, 64),
        (0, 65),
    ),
    (
        "name before -system",
        lambda n: system_namespace("access", letters(n)),
        (1, 56),
        (57,),
    ),
    # ---- images
    (
        "time of a build",
        lambda t: ImageBuilder(timeout=t),
        (5 * MINUTE, 8 * HOUR),
        (4 * MINUTE, 8 * HOUR + MINUTE),
    ),
    ("images", lambda n: ImageStore(images=n), (2, 100), (1, 101)),
    # ---- notebooks
    ("session", lambda t: user(session_duration=t), (HOUR, 12 * HOUR), (59 * MINUTE, 13 * HOUR)),
    (
        "idle kernel",
        lambda t: endpoint(kernel_idle_timeout=t, kernel_check_interval=5 * MINUTE),
        (5 * MINUTE,),
        (5 * MINUTE - SECOND, 5.5 * SECOND),
    ),
    ("IAM user", lambda n: user(identity_name=letters(n)).kind(AuthMode.IAM), (1, 64), (0, 65)),
    ("IAM group", lambda n: named(n, AuthMode.IAM, "GROUP"), (1, 128), (0, 129)),
    ("IAM role", lambda n: named(n, AuthMode.IAM, "ROLE"), (1, 64), (0, 65)),
    ("federated role", lambda n: named(n, AuthMode.IAM_FEDERATED, None), (1, 64), (0, 65)),
    ("Identity Center user", lambda n: named(n, AuthMode.SSO, "USER"), (1, 256), (0, 257)),
    ("Identity Center group", lambda n: named(n, AuthMode.SSO, "GROUP"), (1, 256), (0, 257)),
    ("namespace of Livy", lambda n: livy().resolved_namespace("Livy", letters(n)), (1, 58), (59,)),
    (
        "Identity Center users",
        lambda n: check_users("Studio", AuthMode.SSO, [], people(n, IdentityType.USER)),
        (0, 100),
        (101,),
    ),
    (
        "Identity Center groups",
        lambda n: check_users("Studio", AuthMode.SSO, [], people(n, IdentityType.GROUP)),
        (0, 5),
        (6,),
    ),
    (
        "check of kernels",
        lambda t: endpoint(kernel_check_interval=t),
        (SECOND,),
        (timedelta(0), MILLISECOND, 1.5 * SECOND),
    ),
    (
        "properties of an endpoint",
        lambda n: endpoint(configurations={"spark-log4j2": many(n)}),
        (1, 100),
        (0, 101),
    ),
    (
        "value of a property",
        lambda n: endpoint(configurations={"spark-log4j2": {"key": letters(n)}}),
        (0, 1_024),
        (1_025,),
    ),
    (
        "name of a property",
        lambda n: endpoint(configurations={"spark-log4j2": {letters(n): "value"}}),
        (1, 1_024),
        (1_025,),
    ),
    # One more is set by the library.
    ("Spark properties", lambda n: session_properties("Endpoint", INITIAL, many(n)), (98,), (99,)),
    ("description", lambda n: StudioSpec(name="lab", description=letters(n)), (0, 256), (257,)),
    (
        "relay state",
        lambda n: SamlAuth(
            provider_arn="arn:aws:iam::111122223333:saml-provider/idp",
            relay_state_parameter=letters(n),
        ),
        (1, 256),
        (0, 257),
    ),
    (
        "idle session",
        lambda t: SparkConnectSpec(name="connect", session_idle_timeout=t),
        (MINUTE, DAY),
        (59 * SECOND, 1.5 * MINUTE, DAY + MINUTE),
    ),
    (
        "old versions",
        lambda t: WorkspaceStorage(keep_old_versions=t),
        (DAY,),
        (timedelta(0), 1.5 * DAY),
    ),
    (
        "idle session of Livy",
        lambda t: livy(session_idle_timeout=t),
        (MINUTE,),
        (59 * SECOND, 1.5 * MINUTE),
    ),
    ("cpu of Livy", lambda n: livy(cpu=Cpu(n)), (1,), (0,)),
    ("memory of Livy", lambda n: livy(memory=Memory(n)), (1024,), (1023,)),
)

ALLOWED: Final = [
    pytest.param(build, each, id=f"{name} {number}")
    for name, build, allowed, _ in LIMITS
    for number, each in enumerate(allowed)
]
REFUSED: Final = [
    pytest.param(build, each, id=f"{name} {number}")
    for name, build, _, refused in LIMITS
    for number, each in enumerate(refused)
]


@pytest.mark.parametrize(("build", "given"), ALLOWED)
def test_a_value_at_a_limit_is_allowed(build: Build, given: object) -> None:
    build(given)


@pytest.mark.parametrize(("build", "given"), REFUSED)
def test_a_value_beyond_a_limit_is_refused(build: Build, given: object) -> None:
    with pytest.raises(ConfigError):
        build(given)
