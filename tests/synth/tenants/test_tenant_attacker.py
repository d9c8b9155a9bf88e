"""Attacks of one tenant on another: IAM's decisions on the rendered policies."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from typing import Any, Final

import aws_cdk as cdk
import pytest
from aws_cdk import aws_iam as iam
from moto.iam.aws_managed_policies import aws_managed_policies_data

from cdk_emr_eks.errors import ConfigError
from cdk_emr_eks.jobs.job_template import JobTemplate
from cdk_emr_eks.model.access.data_access import s3_folder
from cdk_emr_eks.model.access.execution_role import ExecutionRoleSpec, JobLogs, RoleUse
from cdk_emr_eks.model.jobs.job_template import JobTemplateSpec
from cdk_emr_eks.model.tenants.tenant import Tenant
from cdk_emr_eks.tenants.tenant import EmrEksTenant
from tests.conftest import Assemblies
from tests.static.iam import check_iam
from tests.synth.iam_decisions import Account, Request, agreed, trusts
from tests.synth.tenants.tenancy_app import CLUSTER, new_app, new_context

# One name begins with the other: a pattern without an end would join them.
TENANTS: Final = ("red", "redder")
WHERE: Final = cdk.Environment(account="111122223333", region="eu-west-1")
PODS: Final = {"Service": "pods.eks.amazonaws.com"}
PASSED: Final = {"iam:PassedToService": "pods.eks.amazonaws.com"}
LOGS: Final = f"arn:aws:logs:eu-west-1:111122223333:log-group:/emr-on-eks/{CLUSTER}/"


@cache
def templates() -> Mapping[str, Mapping[str, Any]]:
    """A platform and two tenants, each with a group, a role and a user of people."""
    app = new_app()
    context = new_context(cdk.Stack(app, "Platform", env=WHERE))
    for name in TENANTS:
        stack = cdk.Stack(app, name, env=WHERE)
        spec = ExecutionRoleSpec(
            name=f"emr-{name}", permissions=s3_folder("lake", name, write=True)
        )
        notebooks = ExecutionRoleSpec(name=f"nb-{name}", uses=(RoleUse.ENDPOINTS,))
        logs = JobLogs(s3_uri=f"s3://logs/emr/{name}")
        tenant = Tenant(name=name, execution_roles=(spec, notebooks), logs=logs)
        made = EmrEksTenant(stack, "Tenant", context=context, tenant=tenant)
        job = JobTemplateSpec(name=name, workload="shared", entry_point="s3://code/job.py")
        JobTemplate(made, "Job", tenant=made, spec=job)
        made.grant_team_access(iam.Group(stack, "Group"))
        made.grant_team_access(iam.User(stack, "User"))
        made.grant_team_access(iam.Role(stack, "Role", assumed_by=iam.AccountRootPrincipal()))
    return {stack.stack_name: stack.template for stack in app.synth().stacks}


@cache
def account() -> Account:
    return Account(templates())


def ids(stack: str, kind: str) -> dict[str, str]:
    """Logical ids by name, or by what the id starts with."""
    found = [each for each in account().of_type(kind) if each[0] == stack]
    return {
        str(properties.get("RoleName", id.rstrip("0123456789ABCDEF"))): id
        for _, id, properties in found
    }


def people(tenant: str) -> list[list[Mapping[str, Any]]]:
    """Statements of the tenant's people, for each way to be one."""
    named = {**ids(tenant, "AWS::IAM::Group"), **ids(tenant, "AWS::IAM::User")}
    named |= {key: id for key, id in ids(tenant, "AWS::IAM::Role").items() if key == "Role"}
    assert len(named) == 3, named
    return [account().identity(tenant, id) for id in named.values()]


def cluster(tenant: str) -> str:
    ((_, id, _),) = [
        each
        for each in account().of_type("AWS::EMRContainers::VirtualCluster")
        if each[0] == tenant
    ]
    return account().arn(tenant, id)


def role(name: str) -> str:
    return f"arn:aws:iam::111122223333:role/{name}"


def job_template(tenant: str) -> Request:
    """Description of a tenant's job template, which has the tags of its template."""
    (found,) = [
        properties
        for stack, _, properties in account().of_type("AWS::EMRContainers::JobTemplate")
        if stack == tenant
    ]
    tags = {f"aws:ResourceTag/{each['Key']}": each["Value"] for each in found["Tags"]}
    arn = "arn:aws:emr-containers:eu-west-1:111122223333:/jobtemplates/0001"
    return Request(action="emr-containers:DescribeJobTemplate", resource=arn, keys=tags)


def work(tenant: str) -> dict[str, Request]:
    """What the people of a tenant do all day, on what is this tenant's."""

    def emr(verb: str, resource: str, **keys: str) -> Request:
        named = {f"emr-containers:{key}": value for key, value in keys.items()}
        return Request(action=f"emr-containers:{verb}", resource=resource, keys=named)

    arn, run = cluster(tenant), f"{cluster(tenant)}/jobruns/0001"
    stream = f"{LOGS}{tenant}:log-stream:shared/0001"
    below = {"s3:prefix": f"emr/{tenant}/jobs/0001"}
    return {
        "start": emr("StartJobRun", arn, ExecutionRoleArn=role(f"emr-{tenant}")),
        "see": emr("DescribeVirtualCluster", arn),
        "list": emr("ListJobRuns", arn),
        "follow": emr("DescribeJobRun", run),
        "cancel": emr("CancelJobRun", run),
        "tag": emr("TagResource", run),
        "template": job_template(tenant),
        "pass": Request(action="iam:PassRole", resource=role(f"emr-{tenant}"), keys=PASSED),
        "logs": Request(action="logs:GetLogEvents", resource=stream),
        "search": Request(action="logs:FilterLogEvents", resource=stream),
        "s3": Request(action="s3:GetObject", resource=f"arn:aws:s3:::logs/emr/{tenant}/a"),
        "s3 list": Request(action="s3:ListBucket", resource="arn:aws:s3:::logs", keys=below),
    }


@pytest.mark.parametrize("tenant", TENANTS)
def test_people_do_their_work_in_their_own_tenant_only(tenant: str) -> None:
    (other,) = set(TENANTS) - {tenant}
    for statements in people(tenant):
        for name, request in work(tenant).items():
            assert agreed(statements, request), name
        for name, request in work(other).items():
            assert not agreed(statements, request), name


@pytest.mark.parametrize("tenant", TENANTS)
def test_people_run_jobs_with_roles_for_jobs_of_their_tenant_only(tenant: str) -> None:
    (other,) = set(TENANTS) - {tenant}
    strange = [role(f"emr-{other}"), role(f"nb-{tenant}"), role("Admin")]
    for statements in people(tenant):
        for arn in strange:
            keys = {"emr-containers:ExecutionRoleArn": arn}
            start = Request(
                action="emr-containers:StartJobRun", resource=cluster(tenant), keys=keys
            )
            assert not agreed(statements, start), arn
            assert not agreed(statements, Request(action="iam:PassRole", resource=arn, keys=PASSED))
        # A role that goes to another service would be theirs outside of any job.
        for service in ("ec2", "lambda", "emr-containers", "ecs-tasks"):
            keys = {"iam:PassedToService": f"{service}.amazonaws.com"}
            own = Request(action="iam:PassRole", resource=role(f"emr-{tenant}"), keys=keys)
            assert not agreed(statements, own), service


@pytest.mark.parametrize("tenant", TENANTS)
def test_people_change_nothing_of_the_platform_not_even_of_their_own_tenant(tenant: str) -> None:
    own, mine = cluster(tenant), role(f"emr-{tenant}")
    eks = f"arn:aws:eks:eu-west-1:111122223333:cluster/{CLUSTER}"
    tagged = {"aws:ResourceTag/emr-eks/tenant": tenant}
    forbidden = {
        "emr-containers:CreateVirtualCluster": "*",
        "emr-containers:DeleteVirtualCluster": own,
        "emr-containers:CreateManagedEndpoint": own,
        "emr-containers:GetManagedEndpointSessionCredentials": f"{own}/endpoints/0001",
        "emr-containers:CreateJobTemplate": "*",
        "emr-containers:DeleteJobTemplate": job_template(tenant).resource,
        "emr-containers:TagResource": own,
        "iam:UpdateAssumeRolePolicy": mine,
        "iam:PutRolePolicy": mine,
        "iam:AttachRolePolicy": mine,
        "iam:CreateRole": role("mine"),
        "sts:AssumeRole": mine,
        "eks:CreatePodIdentityAssociation": eks,
        "eks:CreateAccessEntry": eks,
        "eks:AccessKubernetesApi": eks,
        "lambda:InvokeFunction": "arn:aws:lambda:eu-west-1:111122223333:function:kubectl",
        "s3:PutObject": f"arn:aws:s3:::logs/emr/{tenant}/a",
        "s3:GetObject": f"arn:aws:s3:::lake/{tenant}/a",
        "logs:DeleteLogGroup": f"{LOGS}{tenant}:*",
        "logs:PutLogEvents": f"{LOGS}{tenant}:log-stream:a",
    }
    for statements in people(tenant):
        for action, resource in forbidden.items():
            assert not agreed(statements, Request(action=action, resource=resource, keys=tagged))


@pytest.mark.parametrize("tenant", TENANTS)
def test_jobs_write_no_templates_logs_or_data_of_another_tenant(tenant: str) -> None:
    (other,) = set(TENANTS) - {tenant}
    execution = ids(tenant, "AWS::IAM::Role")[f"emr-{tenant}"]
    statements = account().identity(tenant, execution)
    (templates,) = [
        each["Resource"] for each in statements if each.get("Sid") == "ReadPodTemplates"
    ]
    for name, allowed in ((tenant, True), (other, False)):
        stream = f"{LOGS}{name}:log-stream:shared/1"
        for request in (
            Request(action="logs:PutLogEvents", resource=stream),
            Request(action="s3:PutObject", resource=f"arn:aws:s3:::logs/emr/{name}/a"),
            Request(action="s3:PutObject", resource=f"arn:aws:s3:::lake/{name}/a"),
            Request(action="s3:DeleteObject", resource=f"arn:aws:s3:::lake/{name}/a"),
        ):
            assert agreed(statements, request) is allowed, request
    for arn in templates:
        assert agreed(statements, Request(action="s3:GetObject", resource=arn))
        assert not agreed(statements, Request(action="s3:PutObject", resource=arn))
    for action in ("sts:AssumeRole", "iam:PassRole", "emr-containers:StartJobRun"):
        for resource in (role(f"emr-{other}"), role(f"emr-{tenant}"), cluster(tenant)):
            assert not agreed(statements, Request(action=action, resource=resource, keys=PASSED))


@pytest.mark.parametrize("tenant", TENANTS)
def test_a_role_is_taken_on_by_its_own_namespace_of_this_cluster_only(tenant: str) -> None:
    (other,) = set(TENANTS) - {tenant}
    ((stack, _, found),) = [
        each
        for each in account().of_type("AWS::IAM::Role")
        if each[2].get("RoleName") == f"emr-{tenant}"
    ]
    document = account().value(stack, found["AssumeRolePolicyDocument"])

    def taken(namespace: str, service_account: str, name: str = CLUSTER) -> bool:
        arn = f"arn:aws:eks:eu-west-1:111122223333:cluster/{name}"
        keys = {
            "aws:RequestTag/eks-cluster-arn": arn,
            "aws:RequestTag/kubernetes-namespace": namespace,
            "aws:RequestTag/kubernetes-service-account": service_account,
        }
        return trusts(document, PODS, Request(action="sts:AssumeRole", keys=keys))

    own = [
        account().text(stack, properties["ServiceAccount"])
        for stack, _, properties in account().of_type("AWS::EKS::PodIdentityAssociation")
        if stack == tenant
    ]
    assert [taken(tenant, each) for each in own] == [True] * 3 + [False] * 3
    assert not any(taken(other, each) for each in own)
    assert not any(taken(tenant, each, "other-cluster") for each in own)
    assert not taken(tenant, "default")
    for principal in ({"AWS": "arn:aws:iam::111122223333:root"}, {"Service": "ec2.amazonaws.com"}):
        assert not trusts(document, principal, Request(action="sts:AssumeRole"))


def test_the_rights_of_people_are_such_as_iam_knows() -> None:
    for tenant in TENANTS:
        assert check_iam(templates()[tenant], {}).problems == ()


def test_people_need_a_role_for_jobs() -> None:
    stack = cdk.Stack(new_app(), "Platform")
    spec = ExecutionRoleSpec(name="nb", uses=(RoleUse.ENDPOINTS,))
    tenant = Tenant(name="notebooks", execution_roles=(spec,))
    made = EmrEksTenant(stack, "Tenant", context=new_context(stack), tenant=tenant)
    with pytest.raises(ConfigError, match="role must be an execution role with the use 'jobs'"):
        made.grant_team_access(iam.User(stack, "User"))
    assert stack.node.find_child("User").node.try_find_child("DefaultPolicy") is None


def test_the_node_role_holds_nothing_worth_stealing(assemblies: Assemblies) -> None:
    found = Account(assemblies("minimal").templates())
    managed = json.loads(aws_managed_policies_data)
    nodes = [
        (stack, id, properties)
        for stack, id, properties in found.of_type("AWS::IAM::Role")
        if "ec2.amazonaws.com"
        in json.dumps(found.value(stack, properties["AssumeRolePolicyDocument"]))
    ]
    # System nodes' and Karpenter's.
    assert len(nodes) == 2
    for stack, id, properties in nodes:
        statements = list(found.identity(stack, id))
        for arn in properties["ManagedPolicyArns"]:
            name = found.text(stack, arn).rpartition("/")[2]
            statements += managed[name]["Document"]["Statement"]
        for action in ("ecr:BatchGetImage", "eks-auth:AssumeRoleForPodIdentity"):
            assert agreed(statements, Request(action=action)), action
        for action in WORTH_STEALING:
            assert not agreed(statements, Request(action=action)), action


# Permissions that would give a pod that breaks out to its node more than the node.
WORTH_STEALING: Final = (
    *("s3:GetObject", "s3:PutObject", "s3:ListAllMyBuckets", "glue:GetTable", "kms:Decrypt"),
    *("secretsmanager:GetSecretValue", "ssm:GetParameter", "ssmmessages:OpenDataChannel"),
    *("emr-containers:StartJobRun", "emr-containers:CreateVirtualCluster"),
    *("sts:AssumeRole", "iam:PassRole", "iam:UpdateAssumeRolePolicy", "iam:GetRole"),
    *("ec2:RunInstances", "ec2:TerminateInstances", "ec2:AssignPrivateIpAddresses"),
    *("ec2:CreateNetworkInterface", "ec2:AttachVolume", "ec2:CreateTags", "ecr:PutImage"),
    *("eks:CreateAccessEntry", "eks:CreatePodIdentityAssociation", "eks:UpdateClusterConfig"),
    *("logs:FilterLogEvents", "logs:PutLogEvents", "lambda:InvokeFunction", "sqs:SendMessage"),
)
