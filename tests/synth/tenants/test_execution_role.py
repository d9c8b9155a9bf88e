"""Execution roles: trust policies, permissions, and grants to run jobs."""

from __future__ import annotations

import json
from typing import cast

import aws_cdk as cdk
import pytest
from aws_cdk import aws_iam as iam
from policy_sentry.querying.actions import get_actions_for_service

from cdk_emr_eks.clusters.oidc_provider import OidcProvider
from cdk_emr_eks.errors import ConfigError
from cdk_emr_eks.model.access.execution_role import ExecutionRoleSpec, JobIdentity, RoleUse
from cdk_emr_eks.names import base36
from cdk_emr_eks.tenants.context import TenancyContext
from cdk_emr_eks.tenants.execution_role import ExecutionRole
from cdk_emr_eks.tenants.job_role_policies import irsa_trust
from tests.synth.synthesized import Synthesized
from tests.synth.tenants.tenancy_app import CLUSTER, ISSUER, new_app, new_context, synthesized

Statement = dict[str, object]


@pytest.fixture(scope="module")
def app() -> Synthesized:
    return synthesized()


def role(app: Synthesized, stack: str, name: str | None = None) -> dict[str, object]:
    roles = [
        cast(dict[str, object], item["Properties"])
        for item in app.of_type(stack, "AWS::IAM::Role").values()
    ]
    (found,) = [item for item in roles if "RoleName" in item and name in (None, item["RoleName"])]
    return found


def statements(found: dict[str, object]) -> dict[str, Statement]:
    (policy,) = cast(list[dict[str, dict[str, list[Statement]]]], found["Policies"])
    return {str(item["Sid"]): item for item in policy["PolicyDocument"]["Statement"]}


def text(value: object) -> str:
    """Write Join and Sub as text, with <name> for pseudo parameters and references."""
    if isinstance(value, str):
        return value
    ((function, argument),) = cast(dict[str, object], value).items()
    if function == "Fn::Join":
        return "".join(text(part) for part in cast(list[list[object]], argument)[1])
    if function == "Fn::Sub":
        return str(argument)
    return f"<{argument}>" if isinstance(argument, str) else "<computed>"


def test_pod_identity_trust_names_cluster_namespace_and_the_three_accounts(
    app: Synthesized,
) -> None:
    found = role(app, "Plain")
    (trust,) = cast(dict[str, list[Statement]], found["AssumeRolePolicyDocument"])["Statement"]
    assert trust["Principal"] == {"Service": "pods.eks.amazonaws.com"}
    assert trust["Action"] == ["sts:AssumeRole", "sts:TagSession"]
    tags = cast(dict[str, dict[str, object]], trust["Condition"])["StringEquals"]
    assert text(tags["aws:RequestTag/eks-cluster-arn"]) == (
        f"arn:<AWS::Partition>:eks:<AWS::Region>:<AWS::AccountId>:cluster/{CLUSTER}"
    )
    assert tags["aws:RequestTag/kubernetes-namespace"] == "analytics"
    encoded = base36(str(found["RoleName"]))
    accounts = tags["aws:RequestTag/kubernetes-service-account"]
    assert [text(item) for item in cast(list[object], accounts)] == [
        f"emr-containers-sa-spark-{part}-<AWS::AccountId>-{encoded}"
        for part in ("client", "driver", "executor")
    ]


def test_associations_are_those_of_the_trust(app: Synthesized) -> None:
    trusted = cast(
        list[dict[str, dict[str, dict[str, object]]]],
        cast(dict[str, object], role(app, "Plain")["AssumeRolePolicyDocument"])["Statement"],
    )[0]["Condition"]["StringEquals"]["aws:RequestTag/kubernetes-service-account"]
    found = [
        cast(dict[str, object], item["Properties"])
        for item in app.of_type("Plain", "AWS::EKS::PodIdentityAssociation").values()
    ]
    assert [item["ServiceAccount"] for item in found] == trusted
    assert {(item["ClusterName"], item["Namespace"]) for item in found} == {(CLUSTER, "analytics")}
    # Without session tags the trust would never match.
    assert all("DisableSessionTags" not in item for item in found)


def test_irsa_trust_of_a_new_cluster_is_json_text_without_a_lambda(app: Synthesized) -> None:
    trust = role(app, "Irsa")["AssumeRolePolicyDocument"]
    document = json.loads(text(trust))
    ((operator, pairs), (like, subjects)) = document["Statement"][0]["Condition"].items()
    assert (operator, like) == ("StringEquals", "StringLike")
    assert list(pairs.values()) == ["sts.amazonaws.com"]
    (subject,) = subjects.values()
    assert subject == (
        "system:serviceaccount:old:emr-containers-sa-*-*-<AWS::AccountId>-" + base36("emr-old")
    )
    assert (*pairs, *subjects) == ("<computed>:aud", "<computed>:sub")
    assert "AWS::Lambda::Function" not in json.dumps(app.templates["Irsa"])
    kinds = {item["Type"] for item in app.templates["Platform"]["Resources"].values()}
    assert "AWS::IAM::OIDCProvider" in kinds
    assert "Custom::AWSCDKOpenIdConnectProvider" not in kinds


def test_irsa_trust_of_an_imported_cluster_is_an_object(app: Synthesized) -> None:
    trust = cast(dict[str, list[Statement]], role(app, "Imported")["AssumeRolePolicyDocument"])
    condition = cast(dict[str, dict[str, object]], trust["Statement"][0]["Condition"])
    assert condition["StringEquals"] == {f"{ISSUER}:aud": "sts.amazonaws.com"}
    subject = text(condition["StringLike"][f"{ISSUER}:sub"])
    assert subject.endswith(f"-{base36('emr-imported')}")


def test_two_irsa_roles_share_one_provider() -> None:
    app = new_app()
    stack = cdk.Stack(app, "Platform")
    context = new_context(stack)
    for name in ("one", "two"):
        spec = ExecutionRoleSpec(name=name, identity=JobIdentity.IRSA)
        ExecutionRole(stack, name, context=context, namespace=name, spec=spec)
    cluster = cast(cdk.aws_eks_v2.Cluster, context.cluster)
    assert len([item for item in cluster.node.children if "Oidc" in item.node.id]) == 1


def test_a_role_reads_its_templates_only(app: Synthesized) -> None:
    every = statements(role(app, "Plain"))["ReadPodTemplates"]["Resource"]
    assert len(set(map(text, cast(list[object], every)))) == 6
    shared = statements(role(app, "Options", "emr-reader"))["ReadPodTemplates"]
    resources = list(map(text, cast(list[object], shared["Resource"])))
    assert shared["Action"] == "s3:GetObject"
    assert len(resources) == 2
    for arn in resources:
        assert arn.startswith("arn:<AWS::Partition>:s3:::cdk-")
        assert arn.endswith(".yaml")
        assert "*" not in arn


def test_a_role_writes_its_own_logs_only(app: Synthesized) -> None:
    found = statements(role(app, "Plain"))
    base = "arn:<AWS::Partition>:logs:<AWS::Region>:<AWS::AccountId>:log-group:"
    assert text(found["WriteLogs"]["Resource"]) == f"{base}/emr-on-eks/{CLUSTER}/analytics:*"
    assert found["FindLogGroup"]["Action"] == "logs:DescribeLogGroups"
    assert set(found) == {"ReadPodTemplates", "WriteLogs", "FindLogGroup"}


def test_s3_logs_are_narrowed_to_the_prefix(app: Synthesized) -> None:
    found = statements(role(app, "Options", "emr-reader"))
    assert text(found["WriteS3Logs"]["Resource"]) == "arn:<AWS::Partition>:s3:::logs/emr/science/*"
    assert found["ListS3Logs"]["Condition"] == {"StringLike": {"s3:prefix": "emr/science/*"}}


def test_a_role_has_what_the_user_gave(app: Synthesized) -> None:
    found = role(app, "Options", "emr-reader")
    assert statements(found)["ReadLake"]["Resource"] == "arn:aws:s3:::lake/*"
    assert found["ManagedPolicyArns"] == ["arn:aws:iam::111122223333:policy/more"]
    assert found["PermissionsBoundary"] == "arn:aws:iam::111122223333:policy/boundary"


def test_a_long_name_is_warned_of(app: Synthesized) -> None:
    manifest = (app.outdir / "manifest.json").read_text() + "".join(
        path.read_text() for path in app.outdir.glob("*metadata.json")
    )
    assert "emr-writer-with-a-rather-long-name' gives service account names" in manifest
    assert "emr-reader' gives" not in manifest


def grants(app: Synthesized, stack: str) -> list[Statement]:
    policies = [
        cast(dict[str, dict[str, list[Statement]]], item["Properties"])
        for item in app.of_type(stack, "AWS::IAM::Policy").values()
        if "Users" in cast(dict[str, object], item["Properties"])
    ]
    return [item for policy in policies for item in policy["PolicyDocument"]["Statement"]]


def actions(found: list[Statement]) -> set[str]:
    names: set[str] = set()
    for item in found:
        listed = item["Action"]
        names |= set(listed) if isinstance(listed, list) else {str(listed)}
    return names


def test_grant_start_job_run_is_these_rights_and_no_others(app: Synthesized) -> None:
    found = grants(app, "Plain")
    assert actions(found) == {
        "emr-containers:StartJobRun",
        "emr-containers:ListJobRuns",
        "emr-containers:DescribeJobRun",
        "emr-containers:CancelJobRun",
        "emr-containers:TagResource",
        "iam:PassRole",
    }
    by_action = {json.dumps(item["Action"]): item for item in found}
    start = by_action['"emr-containers:StartJobRun"']
    (key,) = cast(dict[str, dict[str, object]], start["Condition"])["ArnEquals"]
    assert key == "emr-containers:ExecutionRoleArn"
    passed = by_action['"iam:PassRole"']
    assert passed["Condition"] == {
        "StringEquals": {"iam:PassedToService": "pods.eks.amazonaws.com"}
    }
    assert all(item["Resource"] != "*" for item in found)


def test_grant_names_the_job_templates_it_is_for(app: Synthesized) -> None:
    (found,) = (
        item
        for item in grants(app, "Options")
        if item["Action"] == "emr-containers:DescribeJobTemplate"
    )
    ((function, argument),) = cast(dict[str, list[str]], found["Resource"]).items()
    assert (function, argument[1]) == ("Fn::GetAtt", "Arn")


def test_every_action_exists(app: Synthesized) -> None:
    used = actions([*grants(app, "Options"), *statements(role(app, "Plain")).values()])
    used |= actions(list(statements(role(app, "Options", "emr-reader")).values()))
    for service in {action.split(":")[0] for action in used}:
        known = set(get_actions_for_service(service))
        assert {action for action in used if action.startswith(f"{service}:")} <= known


def test_a_log_group_that_iam_reads_as_a_pattern_is_refused() -> None:
    stack = cdk.Stack(new_app(), "Platform")
    context, spec = new_context(stack), ExecutionRoleSpec(name="r")
    with pytest.raises(ConfigError) as refused:
        ExecutionRole(
            stack, "R", context=context, namespace="data", spec=spec, log_group="/emr-on-eks/*"
        )
    assert str(refused.value) == (
        "Execution role 'r': log_group must not hold '*', '?' or '$', which IAM reads as patterns, "
        "got '/emr-on-eks/*'."
    )
    token = cdk.CfnParameter(stack, "Group").value_as_string
    ExecutionRole(stack, "S", context=context, namespace="data", spec=spec, log_group=token)


def test_irsa_without_a_provider_is_refused() -> None:
    app = new_app()
    stack = cdk.Stack(app, "Platform")
    made = new_context(stack)
    context = TenancyContext(
        cluster=made.cluster,
        cluster_name=CLUSTER,
        workloads=made.workloads,
        pod_templates=made.pod_templates,
    )
    spec = ExecutionRoleSpec(name="r", identity=JobIdentity.IRSA)
    with pytest.raises(ConfigError) as refused:
        ExecutionRole(stack, "R", context=context, namespace="data", spec=spec)
    assert str(refused.value) == (
        "Execution role 'r': identity needs the cluster's OIDC provider; write "
        "ImportedPlatform(oidc=OidcProvider(...)), or use Pod Identity."
    )
    with pytest.raises(ConfigError, match="workloads must name workloads of the platform"):
        ExecutionRole(
            stack,
            "S",
            context=context,
            namespace="data",
            spec=ExecutionRoleSpec(name="s", workloads=("gpu",)),
        )
    with pytest.raises(ConfigError, match="cluster_name must be known at synth, not a token"):
        TenancyContext(
            cluster=made.cluster,
            cluster_name=made.cluster.cluster_name,
            workloads=made.workloads,
            pod_templates=made.pod_templates,
        )


def test_associations_and_trust_follow_from_the_uses() -> None:
    app = new_app()
    stack = cdk.Stack(app, "Platform")
    spec = ExecutionRoleSpec(name="r", uses=(RoleUse.ENDPOINTS, RoleUse.LIVY))
    made = ExecutionRole(stack, "R", context=new_context(stack), namespace="data", spec=spec)
    resources = app.synth().get_stack_by_name("Platform").template["Resources"].values()
    accounts = [
        text(item["Properties"]["ServiceAccount"])
        for item in resources
        if item["Type"] == "AWS::EKS::PodIdentityAssociation"
    ]
    named = [
        f"emr-containers-sa-spark-{part}-<AWS::AccountId>-{base36('r')}"
        for part in ("jeg", "jeg-kernel", "session")
    ]
    assert accounts == [*named, "emr-container-sa-spark-livy"]
    trusts = [
        item["Properties"]["AssumeRolePolicyDocument"]["Statement"][0]["Condition"]["StringEquals"]
        for item in resources
        if item["Properties"].get("RoleName") == "r"
    ]
    trusted = trusts[0]["aws:RequestTag/kubernetes-service-account"]
    assert [text(item) for item in trusted] == accounts
    with pytest.raises(ConfigError, match="uses must include 'jobs' to run jobs, got 'endpoints"):
        made.grant_start_job_run(iam.Role.from_role_name(stack, "U", "u"), virtual_cluster=None)  # type: ignore[arg-type]


def test_irsa_trusts_livys_account_only_where_it_is_used() -> None:
    app = new_app()
    stack = cdk.Stack(app, "Platform")
    oidc = OidcProvider(arn="arn:aws:iam::111122223333:oidc-provider/issuer", issuer=ISSUER)
    made = {
        uses: irsa_trust(oidc, "data", ExecutionRoleSpec(name="r", uses=uses))
        for uses in ((RoleUse.LIVY,), (RoleUse.ENDPOINTS,), (RoleUse.JOBS, RoleUse.LIVY))
    }
    subjects = {
        uses: stack.resolve(trust)["Statement"][0]["Condition"]["StringLike"][f"{ISSUER}:sub"]
        for uses, trust in made.items()
    }
    livy = "system:serviceaccount:data:emr-container-sa-spark-livy"
    assert subjects[(RoleUse.LIVY,)] == livy
    assert "emr-containers-sa-*-*-" in text(subjects[(RoleUse.ENDPOINTS,)])
    both = subjects[(RoleUse.JOBS, RoleUse.LIVY)]
    assert [text(item) for item in both] == [text(subjects[(RoleUse.ENDPOINTS,)]), livy]


def test_a_namespace_has_one_role_for_livy() -> None:
    stack = cdk.Stack(new_app(), "Platform")
    context = new_context(stack)

    def add(name: str, namespace: str) -> None:
        spec = ExecutionRoleSpec(name=name, uses=(RoleUse.LIVY,))
        ExecutionRole(stack, name, context=context, namespace=namespace, spec=spec)

    add("a", "data")
    add("b", "other")
    with pytest.raises(ConfigError, match="uses must be for Livy in one role of a namespace"):
        add("c", "data")
