"""A notebook platform creates each endpoint once and refuses before it creates anything."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_kms as kms

from cdk_emr_eks.errors import ConfigError
from cdk_emr_eks.model.access.data_access import s3_folder
from cdk_emr_eks.model.access.execution_role import ExecutionRoleSpec, JobLogs, RoleUse
from cdk_emr_eks.model.namespaces.quota import Quota
from cdk_emr_eks.model.notebooks.notebook_user import IdentityType, NotebookUser
from cdk_emr_eks.model.notebooks.studio import (
    IdentityCenterAuth,
    SamlAuth,
    StudioSpec,
    UserAssignment,
)
from cdk_emr_eks.model.tenants.tenant import Tenant
from cdk_emr_eks.notebooks.studio import EmrStudio
from cdk_emr_eks.platforms.imported_cluster import ImportedEmrEksCluster, ImportedPlatform
from cdk_emr_eks.platforms.notebook_platform import NotebookPlatform
from cdk_emr_eks.units import Cpu, Memory
from tests.synth.platforms.notebook_app import (
    INSTANCE,
    PROVIDER,
    Parts,
    endpoint,
    new_cluster,
    new_network,
    notebooks,
    user,
)

READ = s3_folder("lake", "public")
ABLE = ExecutionRoleSpec(name="emr-able", uses=(RoleUse.ENDPOINTS,))


@pytest.fixture(scope="module")
def refusing() -> Parts:
    """Return parts for tests that create nothing."""
    return Parts()


def test_an_endpoint_that_users_share_is_created_once() -> None:
    parts = Parts()
    first, second = parts.platform.add_users(
        [user("ann", endpoint(permissions=READ)), user("bob", endpoint(permissions=READ))]
    )
    third = parts.platform.add_user(user("cat", "team"))
    assert list(parts.platform.endpoints) == ["team"]
    assert [each.user.identity_name for each in parts.platform.users] == ["ann", "bob", "cat"]
    assert parts.platform.users == [first, second, third]
    (made,) = parts.resources("AWS::EMRContainers::Endpoint")
    assert made["Name"] == "team"
    assert len(parts.resources("AWS::EMRContainers::VirtualCluster")) == 1


def test_endpoints_of_equal_rights_share_the_namespaces_role() -> None:
    parts = Parts()
    pair = (endpoint("a", permissions=READ), endpoint("b", permissions=READ))
    parts.platform.add_user(user("ann", *pair))
    roles = {each.role.spec.name for each in parts.platform.endpoints.values()}
    assert len(roles) == 1
    assert set(parts.platform.tenants) == {"research-notebooks"}


def test_a_namespace_is_created_as_a_copy_of_the_platforms_tenant() -> None:
    quota = Quota(cpu=Cpu.cores(64), memory=Memory.from_gib(256))
    home = Tenant(
        name="science",
        quota=quota,
        workloads=("notebook",),
        logs=JobLogs(s3_uri="s3://logs/emr/"),
        tags={"cost-center": "42"},
    )
    parts = Parts(tenant=home)
    parts.platform.add_user(user("ann", endpoint("a"), endpoint("b", namespace="partner")))
    own, other = (parts.platform.tenants[name].tenant for name in ("science", "partner"))
    assert own.logs.s3_uri == "s3://logs/emr/"
    # Notebooks of the home could read a folder below the home's folder.
    assert other.logs.s3_uri == "s3://logs/emr-partner"
    assert (other.quota, other.tags, other.workloads) == (quota, own.tags, own.workloads)
    (role,) = other.execution_roles
    assert role.uses == (RoleUse.ENDPOINTS,)
    assert role.name != own.execution_roles[0].name


def test_endpoints_live_with_tenants_that_are_there() -> None:
    parts = Parts()
    there = parts.cluster.add_tenant(
        Tenant(name="jobs", execution_roles=(ExecutionRoleSpec(name="emr-jobs"), ABLE))
    )
    declared = Tenant(name="later", execution_roles=(ExecutionRoleSpec(name="emr-later"),))
    parts.platform.add_tenant(there)
    parts.platform.add_tenant(declared)
    named = endpoint("named", namespace="jobs", role="emr-able")
    first = endpoint("first", namespace="jobs")
    parts.platform.add_user(user("ann", named, first))
    made = parts.platform.endpoints
    assert {made[name].tenant for name in ("named", "first")} == {there}
    assert {made[name].role.spec.name for name in ("named", "first")} == {"emr-able"}
    # Its role is for jobs, and it gets no other one.
    with pytest.raises(ConfigError, match=re.escape("uses=(RoleUse.ENDPOINTS,)")):
        parts.platform.add_user(user("bob", endpoint("x", namespace="later")))
    with pytest.raises(ConfigError, match="does not have yet"):
        parts.platform.add_tenant(Tenant(name="jobs"))


def test_a_tenant_of_another_cluster_is_refused() -> None:
    parts = Parts()
    other = ImportedEmrEksCluster.from_cluster_attributes(
        cdk.Stack(parts.app, "Other"),
        "Cluster",
        kubectl_service_token="arn:aws:lambda:eu-west-1:111122223333:function:kubectl",
        platform=ImportedPlatform(cluster_name="other"),
    )
    tenant = other.add_tenant(Tenant(name="there"))
    with pytest.raises(ConfigError, match="must be on the platform's cluster 'data-platform'"):
        parts.platform.add_tenant(tenant)


def test_several_studios_are_on_one_cluster() -> None:
    parts = Parts()
    second = NotebookPlatform(
        parts.stack,
        "More",
        cluster=parts.cluster,
        studio=StudioSpec(name="more"),
        network=parts.network,
    )
    third = NotebookPlatform(
        parts.stack,
        "Same",
        cluster=parts.cluster,
        studio=second.studio,
        tenant=Tenant(name="third"),
    )
    for each in (parts.platform, second, third):
        each.add_user(user(f"user-{each.node.id}", endpoint(f"e-{each.node.id}")))
    assert len(parts.resources("AWS::EMR::Studio")) == 2
    tags = {
        each["Name"]: {tag["Key"]: tag["Value"] for tag in each["Tags"]}["emr-eks/studio"]
        for each in parts.resources("AWS::EMRContainers::Endpoint")
    }
    assert tags == {"e-Notebooks": "research", "e-More": "more", "e-Same": "more"}


@pytest.mark.parametrize(
    ("users", "said"),
    [
        (
            [user("ann", "team")],
            "endpoints of user 'ann' must be endpoints of the platform (good), got 'team'",
        ),
        ([user("ann", endpoint()), user("ann", endpoint())], "must be unique, and another"),
        (
            [user("ann", endpoint()), user("bob", endpoint(permissions=READ))],
            "permissions of endpoint 'team' must be the same for all its users",
        ),
        (
            [user("ann", endpoint()), user("bob", endpoint(release_label="emr-7.13.0-latest"))],
            "release_label of endpoint 'team' must be the same for all its users",
        ),
        (
            [user("ann", endpoint("a", permissions=READ)), user("bob", endpoint("b"))],
            "code of a namespace can use each of its roles",
        ),
        ([user("ann", endpoint(workload="critical"))], "must be one of its tenant's (notebook)"),
        (
            [user("ann", endpoint(release_label="emr-7.2.0-latest"))],
            "must be at least emr-7.3.0 for Pod Identity",
        ),
        ([user("ann", endpoint(role="unknown"))], "has no roles"),
        (
            [user(f"u{n}", endpoint(f"e{n}", namespace=f"n{n}")) for n in range(59)],
            "must be at most 59 with 60 outbound rules for a security group, got 60",
        ),
        (
            [user("ann", endpoint(), session_duration=timedelta(hours=2))],
            "this is an IAM user",
        ),
    ],
)
def test_bad_users_are_refused_before_anything_is_created(
    refusing: Parts, users: Sequence[NotebookUser], said: str
) -> None:
    before = refusing.made()
    good = user("zoe", endpoint("good", namespace="good"))
    with pytest.raises(ConfigError, match=re.escape(said)):
        refusing.platform.add_users([good, *users])
    assert refusing.made() == before
    assert refusing.platform.users == []
    # What was refused leaves no trace: the same names are free.
    refusing.platform.check_users([good])


def test_an_arm_workload_is_refused_before_anything_is_created() -> None:
    parts = Parts(tenant=Tenant(name="science"))
    before = parts.made()
    with pytest.raises(ConfigError, match="must be x86 only"):
        parts.platform.add_user(user("ann", endpoint(workload="critical")))
    assert parts.made() == before


def test_a_user_who_shares_needs_a_studio_that_can() -> None:
    parts = Parts(studio_name=None, studio=StudioSpec(name="quiet", collaboration=False))
    with pytest.raises(ConfigError, match="the Studio has no collaboration"):
        parts.platform.add_user(user("ann", endpoint(), collaboration=True))


BAD: list[tuple[Callable[[], dict[str, Any]], str]] = [
    (lambda: {"studio_name": None}, "studio_name or studio must be given"),
    (lambda: {"studio": StudioSpec(name="x")}, "studio_name is a part of studio"),
    (
        lambda: {"studio_name": None, "studio": StudioSpec(name="x"), "auth_mode": "IAM"},
        "auth_mode is a part of studio",
    ),
    (lambda: {"auth_mode": "LDAP"}, "auth_mode must be one of IAM, IAM_FEDERATED, SSO, got 'LDAP'"),
    (lambda: {"auth_mode": "iam"}, "write 'IAM'"),
    (lambda: {"auth_mode": "SSO"}, "instance_arn is needed by auth_mode 'SSO'"),
    (lambda: {"auth_mode": 3}, "auth_mode must be"),
    (lambda: {"studio_name": "my studio"}, "try 'my-studio'"),
    (lambda: {"network": None}, "network must be given for an imported cluster"),
    (
        lambda: {
            "auth_mode": IdentityCenterAuth(
                instance_arn=INSTANCE, user_assignment=UserAssignment.OPTIONAL
            )
        },
        "must be REQUIRED: a user without assignment has no session policy",
    ),
]


@pytest.mark.parametrize(("options", "said"), BAD)
def test_a_bad_platform_is_refused(options: Callable[[], dict[str, Any]], said: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(said)):
        Parts(**options())


def test_a_cluster_without_what_endpoints_need_is_refused() -> None:
    stack = cdk.Stack(cdk.App(), "Stack")
    cluster = ImportedEmrEksCluster.from_cluster_attributes(
        stack,
        "Cluster",
        kubectl_service_token="arn:aws:lambda:x",
        platform=ImportedPlatform(cluster_name="plain"),
    )
    with pytest.raises(ConfigError, match=r"write ImportedPlatform\(endpoints=True\)"):
        NotebookPlatform(
            stack, "Notebooks", cluster=cluster, studio_name="s", network=new_network(stack)
        )


def test_what_a_studio_that_is_there_cannot_take_is_refused() -> None:
    parts = Parts()
    studio = EmrStudio(parts.stack, "Own", spec=StudioSpec(name="own"), network=parts.network)
    key = kms.Key.from_key_arn(parts.stack, "Key", "arn:aws:kms:eu-west-1:111122223333:key/1")
    for given in ({"network": parts.network}, {"key": key}):
        with pytest.raises(ConfigError, match="must be absent with an existing Studio"):
            NotebookPlatform(
                parts.stack,
                "X",
                cluster=parts.cluster,
                studio=studio,
                **given,
            )


def test_two_platforms_on_one_studio_assign_each_user_once() -> None:
    parts = Parts(auth_mode=IdentityCenterAuth(instance_arn=INSTANCE))
    second = NotebookPlatform(
        parts.stack,
        "Second",
        cluster=parts.cluster,
        studio=parts.platform.studio,
        tenant=Tenant(name="second"),
    )
    parts.platform.add_user(user("dan", endpoint(), identity_type=IdentityType.USER))
    # They may have endpoints of the same name, each in its own namespace.
    second.add_user(user("eve", endpoint(), identity_type=IdentityType.USER))
    with pytest.raises(ConfigError, match="must be assigned to a Studio once"):
        second.add_user(user("dan", "team", identity_type=IdentityType.USER))


# ---- outputs


def test_outputs_say_where_everybody_signs_in() -> None:
    def urls(stack: str) -> dict[str, object]:
        outputs = notebooks().templates[stack]["Outputs"].values()
        return {
            each["Description"]: each["Value"]
            for each in outputs
            if "opens notebooks" in each["Description"]
        }

    iam = urls("Iam")
    assert set(iam) == {
        "Where ann (IAM user) opens notebooks",
        "Where bob (IAM user) opens notebooks",
        "Where cat (IAM user) opens notebooks",
        "Where analysts (IAM group) opens notebooks",
        "Where Partner (IAM role) opens notebooks",
    }
    deep = json.dumps(iam["Where ann (IAM user) opens notebooks"])
    assert "https://console.aws.amazon.com/emr/home?region=eu-west-1#studio/" in deep
    assert "/start" in deep
    for stack in ("Saml", "Center"):
        for value in urls(stack).values():
            # The Studio's own address, which knows the provider.
            assert json.dumps(value).endswith('"Url"]}')


def test_a_provider_that_the_studio_does_not_know_lands_on_the_console() -> None:
    parts = Parts(auth_mode=SamlAuth(provider_arn=PROVIDER))
    made = parts.platform.add_user(user("Readers", endpoint()))
    assert made.sign_in_url.startswith("https://console.aws.amazon.com/emr/home?region=")
    assert made.role is not None


@pytest.mark.parametrize(
    ("region", "host"),
    [
        ("cn-north-1", "console.amazonaws.cn"),
        ("us-gov-west-1", "console.amazonaws-us-gov.com"),
        ("eu-west-1", "console.aws.amazon.com"),
    ],
)
def test_the_console_is_the_partitions(region: str, host: str) -> None:
    stack = cdk.Stack(cdk.App(), "S", env=cdk.Environment(account="111122223333", region=region))
    platform = NotebookPlatform(
        stack,
        "Notebooks",
        cluster=new_cluster(stack),
        studio_name="research",
        network=new_network(stack),
    )
    made = platform.add_user(user("ann", endpoint()))
    assert made.sign_in_url.startswith(f"https://{host}/emr/home?region={region}#studio/")


def test_endpoints_tell_their_ids_and_arns() -> None:
    outputs = notebooks().templates["Iam"]["Outputs"]
    described = {each["Description"] for each in outputs.values()}
    assert "Interactive endpoint ann-endpoint of ann" in described
    assert "ARN of interactive endpoint ann-endpoint of ann" in described


def test_types_are_checked(refusing: Parts) -> None:
    platform: Any = refusing.platform
    with pytest.raises(ConfigError, match="users must be a list or tuple of NotebookUser"):
        platform.add_users(["ann"])
    with pytest.raises(ConfigError, match="users must be a list or tuple of NotebookUser"):
        platform.add_user("ann")
    with pytest.raises(ConfigError, match="endpoints must be a list or tuple"):
        platform.add_endpoints(endpoint())
    with pytest.raises(ConfigError, match="tenant must be"):
        platform.add_tenant("jobs")
    with pytest.raises(ConfigError, match="scope must be"):
        platform.add_users([user("ann", endpoint())], scope="here")
    cluster: Any = refusing.stack
    with pytest.raises(ConfigError, match="cluster must be TenantHost"):
        NotebookPlatform(refusing.stack, "X", cluster=cluster, studio_name="x")
