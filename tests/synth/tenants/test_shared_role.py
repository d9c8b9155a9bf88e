"""Shared execution roles: IAM's decisions by the namespace in the session tags."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, Final

import aws_cdk as cdk
import pytest
from aws_cdk import aws_iam as iam

from cdk_emr_eks.errors import ConfigError
from cdk_emr_eks.model.access.data_access import s3_namespace_folder
from cdk_emr_eks.model.access.execution_role import ExecutionRoleSpec, JobIdentity, JobLogs, RoleUse
from cdk_emr_eks.model.access.tenant_secrets import TenantSecret
from cdk_emr_eks.model.tenants.tenant import Tenant
from cdk_emr_eks.tenants.context import TenancyContext
from cdk_emr_eks.tenants.shared_role import SharedExecutionRole
from cdk_emr_eks.tenants.tenant import EmrEksTenant
from tests.static.iam import check_iam
from tests.static.nag import nag_report
from tests.synth.iam_decisions import Account, Request, agreed, trusts
from tests.synth.tenants.tenancy_app import CLUSTER, new_app, new_context

WHERE: Final = cdk.Environment(account="111122223333", region="eu-west-1")
TAG: Final = "aws:PrincipalTag/kubernetes-namespace"
LOGS: Final = f"arn:aws:logs:eu-west-1:111122223333:log-group:/emr-on-eks/{CLUSTER}/"
ROLE: Final = "arn:aws:iam::111122223333:role/emr-shared"
PODS: Final = {"Service": "pods.eks.amazonaws.com"}
SPEC: Final = ExecutionRoleSpec(name="emr-shared", permissions=s3_namespace_folder("lake"))
TENANTS: Final = ("red", "redder", "mixed")


@cache
def made() -> tuple[cdk.App, Mapping[str, Mapping[str, Any]]]:
    app = new_app()
    platform = cdk.Stack(app, "Platform", env=WHERE)
    context = new_context(platform)
    shared = SharedExecutionRole(
        platform, "Shared", context=context, spec=SPEC, log_uri="s3://logs/emr"
    )
    for name in TENANTS:
        stack = cdk.Stack(app, name, env=WHERE)
        own = (ExecutionRoleSpec(name="emr-own"),) if name == "mixed" else ()
        logs = JobLogs(s3_uri=f"s3://logs/emr/{name}")
        tenant = Tenant(name=name, execution_roles=own, logs=logs)
        EmrEksTenant(stack, "Tenant", context=context, tenant=tenant, shared_role=shared)
    people = cdk.Stack(app, "People", env=WHERE)
    for name in ("red", "redder"):
        found = app.node.find_child(name).node.find_child("Tenant")
        assert isinstance(found, EmrEksTenant)
        found.grant_team_access(iam.Group(people, name))
    return app, {stack.stack_name: stack.template for stack in app.synth().stacks}


def account() -> Account:
    return Account(made()[1])


@cache
def statements() -> tuple[Mapping[str, Any], ...]:
    ((stack, id, _),) = [
        each
        for each in account().of_type("AWS::IAM::Role")
        if each[2].get("RoleName") == "emr-shared"
    ]
    return tuple(account().identity(stack, id))


@pytest.mark.parametrize("tenant", ["red", "redder"])
def test_a_session_has_what_is_its_own_namespaces(tenant: str) -> None:
    keys = {TAG: tenant}
    for name in ("red", "redder", "re", "red-2", "*", ""):
        folder = f"arn:aws:s3:::lake/{name}/part-0"
        listed = {**keys, "s3:prefix": f"{name}/part-0"}
        for request in (
            Request(action="s3:GetObject", resource=folder, keys=keys),
            Request(action="s3:PutObject", resource=folder, keys=keys),
            Request(action="s3:DeleteObject", resource=folder, keys=keys),
            Request(action="s3:ListBucket", resource="arn:aws:s3:::lake", keys=listed),
            Request(action="s3:PutObject", resource=f"arn:aws:s3:::logs/emr/{name}/a", keys=keys),
            Request(action="logs:PutLogEvents", resource=f"{LOGS}{name}:log-stream:a", keys=keys),
        ):
            assert agreed(statements(), request) is (name == tenant), request


def test_a_session_without_tags_has_nothing_of_any_tenant() -> None:
    for name in ("red", "", "*"):
        for request in (
            Request(action="s3:GetObject", resource=f"arn:aws:s3:::lake/{name}/a"),
            Request(action="logs:PutLogEvents", resource=f"{LOGS}{name}:log-stream:a"),
        ):
            assert not agreed(statements(), request), request


def test_pods_of_emrs_accounts_in_this_cluster_are_it_with_session_tags_only() -> None:
    ((stack, _, found),) = [
        each
        for each in account().of_type("AWS::IAM::Role")
        if each[2].get("RoleName") == "emr-shared"
    ]
    document = account().value(stack, found["AssumeRolePolicyDocument"])
    arn = f"arn:aws:eks:eu-west-1:111122223333:cluster/{CLUSTER}"
    accounts = [
        account().text(stack, properties["ServiceAccount"])
        for stack, _, properties in account().of_type("AWS::EKS::PodIdentityAssociation")
        if stack == "red"
    ]
    assert len(accounts) == 3
    for name in accounts:
        keys = {
            "aws:RequestTag/eks-cluster-arn": arn,
            "aws:RequestTag/kubernetes-namespace": "red",
            "aws:RequestTag/kubernetes-service-account": name,
        }

        def taken(keys: Mapping[str, str], principal: Mapping[str, str] = PODS) -> bool:
            return trusts(document, principal, Request(action="sts:AssumeRole", keys=keys))

        assert taken(keys)
        assert not taken(keys, {"AWS": "arn:aws:iam::111122223333:root"})
        for key, value in (
            ("eks-cluster-arn", f"{arn}-2"),
            ("kubernetes-service-account", "default"),
        ):
            assert not taken({**keys, f"aws:RequestTag/{key}": value})
        for key in keys:
            assert not taken({each: value for each, value in keys.items() if each != key}), key


def test_a_tenant_has_six_resources_and_no_role_of_its_own() -> None:
    resources = made()[1]["red"]["Resources"].values()
    assert Counter(each["Type"] for each in resources) == {
        "Custom::AWSCDK-EKS-KubernetesResource": 1,
        "AWS::EMRContainers::VirtualCluster": 1,
        "AWS::Logs::LogGroup": 1,
        "AWS::EKS::PodIdentityAssociation": 3,
    }
    ((id, cluster),) = [
        (id, each)
        for id, each in made()[1]["red"]["Resources"].items()
        if each["Type"] == "AWS::EMRContainers::VirtualCluster"
    ]
    # Jobs that end with the virtual cluster have the role until then.
    associations = {key for key in made()[1]["red"]["Resources"] if "SharedRole" in key}
    assert len(associations) == 3
    assert associations <= set(cluster["DependsOn"]), id


def test_tenants_stacks_export_nothing_for_it_and_wait_for_it() -> None:
    app, templates = made()
    outputs = templates["Platform"].get("Outputs", {})
    assert not [key for key in outputs if "Shared" in key]
    red = app.node.find_child("red")
    assert isinstance(red, cdk.Stack)
    assert "Platform" in [stack.stack_name for stack in red.dependencies]
    for stack in TENANTS:
        output = next(
            output["Value"]
            for key, output in templates[stack]["Outputs"].items()
            if key.startswith(f"{stack.title()}ExecutionRoleArn")
            and (stack != "mixed" or key.endswith("EmrShared"))
        )
        assert account().text(stack, output) == ROLE


def test_people_run_jobs_with_it_on_their_own_virtual_cluster_only() -> None:
    clusters = {
        stack: account().arn(stack, id)
        for stack, id, _ in account().of_type("AWS::EMRContainers::VirtualCluster")
    }
    groups = {id[: -len("XXXXXXXX")]: id for _, id, _ in account().of_type("AWS::IAM::Group")}
    for tenant in ("red", "redder"):
        found = account().identity("People", groups[tenant])
        for name, arn in clusters.items():
            keys = {"emr-containers:ExecutionRoleArn": ROLE}
            start = Request(action="emr-containers:StartJobRun", resource=arn, keys=keys)
            assert agreed(found, start) is (name == tenant)


def test_checkers_find_nothing() -> None:
    app, templates = made()
    ours = {
        **templates["Platform"],
        "Resources": {
            key: each for key, each in templates["Platform"]["Resources"].items() if "Shared" in key
        },
    }
    assert check_iam(ours, {}).problems == ()
    report = nag_report(app)
    mine = [each for each in report.findings if each.startswith(("Platform/Shared", "red"))]
    assert mine == []


def test_a_tenant_can_have_separate_roles_too() -> None:
    stack = cdk.Stack(new_app(), "Platform")
    context = new_context(stack)
    shared = SharedExecutionRole(stack, "Shared", context=context, spec=SPEC)
    tenant = Tenant(name="mixed", execution_roles=(ExecutionRoleSpec(name="own"),))
    mixed = EmrEksTenant(stack, "T", context=context, tenant=tenant, shared_role=shared)
    assert list(mixed.roles) == ["own", "emr-shared"]
    assert mixed.role.role.node.path.startswith("Platform/T/")
    said = r"role is shared by tenants; grant all tenants on SharedExecutionRole\.role"
    with pytest.raises(ConfigError, match=said):
        _ = mixed.roles["emr-shared"].role


@pytest.mark.parametrize(
    ("tenant", "said"),
    [
        (
            Tenant(name="t", logs=JobLogs(s3_uri="s3://logs/emr/other")),
            r"logs\.s3_uri must be the folder of the tenant's namespace.*'s3://logs/emr/t'",
        ),
        (Tenant(name="t", logs=JobLogs(s3_uri="s3://other/emr/t")), r"logs\.s3_uri must be"),
        (
            Tenant(name="t", secrets=(TenantSecret(name="t/db"),)),
            "secrets must be read by execution_roles",
        ),
        (
            Tenant(name="t", execution_roles=(ExecutionRoleSpec(name="emr-shared"),)),
            "execution_roles must not have the name of the shared role",
        ),
        (
            Tenant(
                name="t",
                release_label="emr-7.2.0-latest",
                execution_roles=(ExecutionRoleSpec(name="o", identity=JobIdentity.IRSA),),
            ),
            r"release_label must be at least emr-7\.3\.0 for Pod Identity of .*emr-shared",
        ),
    ],
)
def test_tenants_that_cannot_have_it_are_refused(tenant: Tenant, said: str) -> None:
    stack = cdk.Stack(new_app(), "Platform")
    context = new_context(stack)
    shared = SharedExecutionRole(
        stack, "Shared", context=context, spec=SPEC, log_uri="s3://logs/emr/"
    )
    with pytest.raises(ConfigError, match=said):
        EmrEksTenant(stack, "T", context=context, tenant=tenant, shared_role=shared)
    assert stack.node.try_find_child("T") is None


def test_a_role_of_another_cluster_is_refused() -> None:
    stack = cdk.Stack(new_app(), "Platform")
    context = new_context(stack)
    shared = SharedExecutionRole(stack, "Shared", context=context, spec=SPEC)
    other = TenancyContext(
        cluster=context.cluster,
        cluster_name="another",
        workloads=context.workloads,
        pod_templates=context.pod_templates,
    )
    with pytest.raises(ConfigError, match="shared_role must be of the cluster 'another'"):
        EmrEksTenant(stack, "T", context=other, tenant=Tenant(name="t"), shared_role=shared)


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        (ExecutionRoleSpec(name="r", identity=JobIdentity.IRSA), "identity must be Pod Identity"),
        (ExecutionRoleSpec(name="r", uses=(RoleUse.LIVY,)), "uses must not be for Livy"),
        (ExecutionRoleSpec(name="r", workloads=("gpu",)), "workloads must name workloads"),
    ],
)
def test_roles_that_cannot_be_shared_are_refused(spec: ExecutionRoleSpec, said: str) -> None:
    stack = cdk.Stack(new_app(), "Platform")
    context = new_context(stack)
    with pytest.raises(ConfigError, match=said):
        SharedExecutionRole(stack, "Shared", context=context, spec=spec)
    assert stack.node.try_find_child("Shared") is None


@pytest.mark.parametrize(
    ("folder", "said"),
    [
        (lambda: s3_namespace_folder(""), "bucket must not be empty"),
        (lambda: s3_namespace_folder("lake", root="a*"), "folder must not be empty nor hold"),
        (lambda: s3_namespace_folder("lake", root="a/"), "folder must have no slash at its ends"),
    ],
)
def test_bad_folders_are_refused(folder: Callable[[], object], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        folder()
