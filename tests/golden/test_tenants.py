"""What a tenant and the admission policies become, as files that a reviewer reads."""

from __future__ import annotations

from typing import Final

from syrupy.assertion import SnapshotAssertion

from cdk_emr_eks import (
    CRITICAL,
    DEFAULT_WORKLOADS,
    NOTEBOOK,
    SHARED,
    Admission,
    AdmissionMode,
    ClassQuota,
    ClusterNetwork,
    Cpu,
    ExecutionRoleSpec,
    IamPermission,
    JobController,
    LakeFormation,
    LimitDefaults,
    Memory,
    NetworkPeer,
    Quota,
    Tenant,
    TenantNetwork,
    TenantSecret,
    glue_access,
    lake_formation_access,
    s3_folder,
    s3_namespace_folder,
    s3_user_folder,
)
from cdk_emr_eks.model.access.lake_formation import with_lake_formation
from cdk_emr_eks.model.access.tenant_secrets import with_secrets
from cdk_emr_eks.model.admission.cluster_policies import ADMISSION_POLICIES
from cdk_emr_eks.model.admission.mutation import driver_zone, submitter_priority, submitter_spread
from cdk_emr_eks.model.namespaces.namespace import namespace_manifest
from cdk_emr_eks.model.tenants.emr_access import emr_cluster_role_manifests, emr_role_manifests

ZONES: Final = ("eu-west-1a", "eu-west-1b")
KEY: Final = "arn:aws:kms:eu-west-1:111122223333:key/0b1c2d3e-0000-0000-0000-000000000000"
SIMPLE: Final = Tenant(name="simple")
FULL: Final = Tenant(
    name="full",
    namespace="team-full",
    quota=Quota(
        cpu=Cpu.cores(500),
        memory=Memory.from_gib(2_000),
        pods=300,
        volume_claims=40,
        storage=Memory.from_gib(4_000),
        ephemeral_storage=Memory.from_gib(900),
        services=30,
        config_maps=200,
        secrets=50,
        jobs=25,
        priority_classes={SHARED.executor_priority_class: ClassQuota(cpu=Cpu.cores(300), pods=90)},
    ),
    limit_defaults=LimitDefaults(ephemeral_storage=Memory.from_gib(1)),
    admission=Admission(
        registries=("111122223333.dkr.ecr.eu-west-1.amazonaws.com/full/",),
        image_digests=True,
        storage_classes=("gp3",),
        controllers=(JobController(roles=("etl",)),),
    ),
    network=TenantNetwork(
        https=("10.0.0.0/16",),
        egress=(
            NetworkPeer(cidr="10.20.0.0/16", ports=(5_432,)),
            NetworkPeer(namespace="kafka", ports=(9_092, 9_094)),
        ),
        ingress=(NetworkPeer(namespace="monitoring", ports=(4_040,)),),
    ),
)
CLUSTER: Final = ClusterNetwork(
    vpc_cidrs=("10.0.0.0/16",), pod_cidrs=("100.64.0.0/16",), service_cidrs=("172.20.0.0/16",)
)


def test_namespace_of_a_tenant(golden: SnapshotAssertion) -> None:
    documents = [
        document
        for tenant, workloads in ((SIMPLE, DEFAULT_WORKLOADS), (FULL, (SHARED, CRITICAL)))
        for document in (
            namespace_manifest(tenant.resolved_namespace, tenant.owner(workloads)),
            *tenant.policies(CLUSTER),
        )
    ]
    assert documents == golden(name="tenant-namespaces")


def test_rights_of_emr_in_a_namespace(golden: SnapshotAssertion) -> None:
    documents = [*emr_role_manifests("team-full"), *emr_cluster_role_manifests("team-full")]
    assert documents == golden(name="tenant-emr-rights")


def test_permissions_of_jobs(golden: SnapshotAssertion) -> None:
    groups: dict[str, tuple[IamPermission, ...]] = {
        "read": s3_folder("lake", "sales"),
        "write": s3_folder("lake", "sales", write=True, kms_key_arn=KEY),
        "namespace": s3_namespace_folder("lake", root="teams", kms_key_arn=KEY),
        "namespace, read": s3_namespace_folder("lake", write=False),
        "user": s3_user_folder("lake", user="ann", root="people", kms_key_arn=KEY),
        "glue": glue_access("sales"),
        "glue, write": glue_access("sales", tables=("orders", "items"), write=True),
        "lake formation": lake_formation_access("sales", tables=("orders",)),
    }
    role = ExecutionRoleSpec(name="etl")
    secret = TenantSecret(name="full/database", kms_key_arn=KEY)
    groups["secret"] = with_secrets(role, [secret]).permissions
    wanted = LakeFormation(session_tag_value="team-full")
    groups["query engine"] = with_lake_formation(role, wanted).permissions
    documents = [
        {name: [permission.statement() for permission in permissions]}
        for name, permissions in groups.items()
    ]
    assert documents == golden(name="tenant-permissions")


def test_admission_policies(golden: SnapshotAssertion) -> None:
    documents = [
        *(document for policy in ADMISSION_POLICIES for document in policy.manifests()),
        *driver_zone(ZONES),
        *submitter_spread(ZONES),
        *submitter_priority(),
    ]
    assert documents == golden(name="admission-policies")


def test_tags_and_roles_of_a_tenant(golden: SnapshotAssertion) -> None:
    documents = [
        {
            "tags": tenant.all_tags,
            "roles": [role.name for role in tenant.roles("platform")],
            "service accounts": [
                str(component) for role in tenant.roles("platform") for component in role.components
            ],
            "virtual cluster": tenant.virtual_cluster_spec.name,
        }
        for tenant in (SIMPLE, FULL)
    ]
    assert documents == golden(name="tenant-identity")


def test_modes_of_admission(golden: SnapshotAssertion) -> None:
    tenants = [
        Tenant(name=f"mode-{mode}", admission=Admission(mode=mode), workloads=("shared",))
        for mode in AdmissionMode
    ]
    documents = [namespace_manifest(each.name, each.owner([SHARED])) for each in tenants]
    assert documents == golden(name="tenant-admission-modes")


def test_workloads_of_a_notebook_tenant(golden: SnapshotAssertion) -> None:
    tenant = Tenant(name="notebooks", workloads=(NOTEBOOK.name,))
    owner = tenant.owner([NOTEBOOK])
    assert [namespace_manifest("notebooks", owner)] == golden(name="tenant-notebooks")
