"""Each user of notebooks gets exactly what is theirs: decided by the rendered policies."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from tests.synth.iam_decisions import Account, Request, allows
from tests.synth.platforms.notebook_app import BOUNDARY, PROVIDER, notebooks

CREDENTIALS = "emr-containers:GetManagedEndpointSessionCredentials"
DESCRIBE = "emr-containers:DescribeManagedEndpoint"
EDITOR = "arn:aws:elasticmapreduce:eu-west-1:111122223333:editor/e-ABC"
WORK = ("DescribeEditor", "StartEditor", "StopEditor", "AttachEditor", "OpenEditorInConsole")

USERS: Mapping[str, set[str]] = {
    "IAM user ann": {"ann-endpoint", "team"},
    "IAM user bob": {"bob-endpoint", "team"},
    "IAM user cat": {"cat-endpoint"},
    "IAM group analysts": {"team"},
    "IAM role Partner": {"partner"},
    "federated IAM role NotebookReaders": {"readers"},
    "federated IAM role NotebookWriters": {"writers"},
    "Identity Center user dan@example.com": {"dan-endpoint"},
    "Identity Center group Data Scientists": {"science"},
}
ENDPOINTS = sorted(set().union(*USERS.values()))


def account() -> Account:
    return notebooks().account


def credentials(endpoint: str, role: str | None) -> Request:
    keys = {"emr-containers:ExecutionRoleArn": role} if role else {}
    return Request(action=CREDENTIALS, resource=endpoint, keys=keys)


@pytest.mark.parametrize("user", USERS)
def test_a_user_opens_these_endpoints_and_no_others(user: str) -> None:
    for name in ENDPOINTS:
        arn, role = account().endpoint(name)
        allowed = name in USERS[user]
        assert account().may(user, credentials(arn, role)) is allowed, name
        assert account().may(user, Request(action=DESCRIBE, resource=arn)) is allowed, name


@pytest.mark.parametrize("user", USERS)
def test_an_endpoint_is_opened_with_its_own_execution_role_only(user: str) -> None:
    for name in USERS[user]:
        arn, own = account().endpoint(name)
        for other in {account().endpoint(each)[1] for each in ENDPOINTS} - {own}:
            assert not account().may(user, credentials(arn, other)), (name, other)
        assert not account().may(user, credentials(arn, "arn:aws:iam::111122223333:role/Admin"))


def test_users_are_not_locked_out_if_emr_does_not_pass_the_role() -> None:
    arn, _ = account().endpoint("ann-endpoint")
    assert account().may("IAM user ann", credentials(arn, None))
    assert not account().may("IAM user bob", credentials(arn, None))


def test_a_policy_names_no_endpoint_of_users_who_came_before_or_after() -> None:
    # What the resources of one policy are, not what they match.
    for user, names in USERS.items():
        found = {
            resource
            for policy in account().policies(user)
            for statement in policy
            if CREDENTIALS in statement["Action"]
            for resource in statement["Resource"]
        }
        assert found == {account().endpoint(name)[0] for name in names}


def test_users_see_the_virtual_clusters_of_their_endpoints_only() -> None:
    for user, names in USERS.items():
        clusters = {account().endpoint(name)[0].partition("/endpoints/")[0] for name in names}
        for name in ENDPOINTS:
            cluster = account().endpoint(name)[0].partition("/endpoints/")[0]
            for action in ("DescribeVirtualCluster", "ListManagedEndpoints"):
                request = Request(action=f"emr-containers:{action}", resource=cluster)
                assert account().may(user, request) is (cluster in clusters)


@pytest.mark.parametrize("user", USERS)
def test_a_workspace_is_its_creators(user: str) -> None:
    me, tag = {"aws:userid": "AIDA1"}, "elasticmapreduce:ResourceTag/creatorUserId"
    shares = user == "IAM user cat"
    for verb in (*WORK, "DetachEditor", "DeleteEditor"):
        action = f"elasticmapreduce:{verb}"
        mine = Request(action=action, resource=EDITOR, keys={**me, tag: "AIDA1"})
        theirs = Request(action=action, resource=EDITOR, keys={**me, tag: "AIDA2"})
        untold = Request(action=action, resource=EDITOR, keys=me)
        assert account().may(user, mine)
        assert account().may(user, theirs) is (shares and verb != "DeleteEditor")
        assert account().may(user, untold) is (shares and verb != "DeleteEditor")


@pytest.mark.parametrize("user", USERS)
def test_only_who_was_asked_to_shares_workspaces(user: str) -> None:
    tag = "elasticmapreduce:ResourceTag/creatorUserId"
    for verb in ("PutWorkspaceAccess", "UpdateEditor", "ListWorkspaceAccessIdentities"):
        action = f"elasticmapreduce:{verb}"
        mine = Request(action=action, resource=EDITOR, keys={"aws:userid": "A", tag: "A"})
        theirs = Request(action=action, resource=EDITOR, keys={"aws:userid": "A", tag: "B"})
        assert account().may(user, mine) is (user == "IAM user cat")
        assert not account().may(user, theirs)


def test_users_of_iam_open_their_own_studio_and_those_of_identity_center_need_no_right() -> None:
    studios = {
        properties["Name"]: account().arn(stack, id)
        for stack, id, properties in account().of_type("AWS::EMR::Studio")
    }
    home = {"IAM": "research", "federated": "federated", "Identity": None}
    for user in USERS:
        for name, arn in studios.items():
            request = Request(action="elasticmapreduce:CreateStudioPresignedUrl", resource=arn)
            assert account().may(user, request) is (home[user.split()[0]] == name)


@pytest.mark.parametrize("user", USERS)
def test_only_the_studios_service_role_is_passed_and_only_to_emr(user: str) -> None:
    roles = [account().arn(stack, id) for stack, id, _ in account().of_type("AWS::IAM::Role")]
    emr = {"iam:PassedToService": "elasticmapreduce.amazonaws.com"}
    (passed,) = [
        arn
        for arn in roles
        if account().may(user, Request(action="iam:PassRole", resource=arn, keys=emr))
    ]
    stack = {"IAM": "Iam", "federated": "Saml", "Identity": "Center"}[user.split(maxsplit=1)[0]]
    assert f"{stack}-NotebooksStudioService" in passed
    others = {"iam:PassedToService": "lambda.amazonaws.com"}
    request = Request(action="iam:PassRole", resource=passed, keys=others)
    assert not account().may(user, request)


# Operations of a Studio for EMR on EKS and the actions each needs, as EMR's guide has them:
# https://docs.aws.amazon.com/emr/latest/ManagementGuide/emr-studio-user-permissions.html
OPERATIONS: Mapping[str, str] = {
    "create and delete workspaces": (
        "elasticmapreduce:CreateEditor elasticmapreduce:DescribeEditor iam:PassRole "
        "elasticmapreduce:ListEditors elasticmapreduce:DeleteEditor"
    ),
    "access workspaces": (
        "elasticmapreduce:DescribeEditor elasticmapreduce:ListEditors elasticmapreduce:StartEditor "
        "elasticmapreduce:StopEditor elasticmapreduce:OpenEditorInConsole"
    ),
    "attach and detach EMR on EKS": (
        "elasticmapreduce:AttachEditor elasticmapreduce:DetachEditor "
        "emr-containers:ListVirtualClusters emr-containers:DescribeVirtualCluster "
        "emr-containers:ListManagedEndpoints emr-containers:DescribeManagedEndpoint "
        "emr-containers:GetManagedEndpointSessionCredentials"
    ),
    "Git repositories": (
        "elasticmapreduce:CreateRepository elasticmapreduce:DeleteRepository "
        "elasticmapreduce:ListRepositories elasticmapreduce:DescribeRepository "
        "elasticmapreduce:LinkRepository elasticmapreduce:UnlinkRepository "
        "secretsmanager:CreateSecret secretsmanager:ListSecrets secretsmanager:TagResource"
    ),
    "collaboration": (
        "elasticmapreduce:UpdateEditor elasticmapreduce:PutWorkspaceAccess "
        "elasticmapreduce:DeleteWorkspaceAccess elasticmapreduce:ListWorkspaceAccessIdentities"
    ),
}


@pytest.mark.parametrize("user", USERS)
def test_a_user_has_all_that_emr_documents_for_what_they_may_do(user: str) -> None:
    granted = {
        action
        for policy in account().policies(user)
        for statement in policy
        for action in statement["Action"]
    }
    for operation, needed in OPERATIONS.items():
        actions = set(needed.split())
        asked = {
            "Git repositories": user.startswith("federated"),
            "collaboration": user == "IAM user cat",
        }.get(operation, True)
        assert (actions <= granted) is asked, operation
        if not asked:
            assert not actions & granted, operation


def test_no_user_may_do_more_than_emr_documents() -> None:
    known = (
        *("elasticmapreduce:", "emr-containers:", "iam:PassRole"),
        *("secretsmanager:CreateSecret", "secretsmanager:ListSecrets"),
        *("secretsmanager:TagResource", "secretsmanager:GetSecretValue"),
    )
    actions = {
        action
        for user in USERS
        for policy in account().policies(user)
        for statement in policy
        for action in statement["Action"]
    }
    assert all(action.startswith(known) for action in actions)
    assert not any("*" in action for action in actions)
    assert not any("Tags" in action or "Run" in action for action in actions)


def test_git_secrets_are_their_creators() -> None:
    secret = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:emr-studio-x"
    tag = "aws:ResourceTag/for-use-with-amazon-emr-managed-user-policies"
    user = "federated IAM role NotebookReaders"
    for action in ("GetSecretValue", "TagResource"):
        mine = {"aws:userid": "A", tag: "A"}
        theirs = {"aws:userid": "A", tag: "B"}
        request = Request(action=f"secretsmanager:{action}", resource=secret, keys=mine)
        assert account().may(user, request)
        request = Request(action=f"secretsmanager:{action}", resource=secret, keys=theirs)
        assert not account().may(user, request)
    link = Request(action="elasticmapreduce:LinkRepository")
    assert account().may(user, link)
    assert not account().may("IAM user ann", link)


def test_an_iam_policy_hangs_on_its_identity() -> None:
    found = {
        properties["Description"]: [properties.get(key) for key in ("Users", "Groups", "Roles")]
        for _, _, properties in account().of_type("AWS::IAM::ManagedPolicy")
    }
    assert found["Notebooks of IAM user ann"] == [["ann"], None, None]
    assert found["Notebooks of IAM group analysts"] == [None, ["analysts"], None]
    assert found["Notebooks of IAM role Partner"] == [None, None, ["Partner"]]
    # Sessions of the Studio's user role get theirs from EMR.
    assert found["Notebooks of Identity Center user dan@example.com"] == [None, None, None]


def test_a_federated_role_trusts_its_provider_for_the_console() -> None:
    roles = [each for each in notebooks().resources("Saml", "AWS::IAM::Role") if "RoleName" in each]
    by_name = {each["RoleName"]: each for each in roles}
    reader = by_name["NotebookReaders"]
    assert reader["AssumeRolePolicyDocument"]["Statement"] == [
        {
            "Effect": "Allow",
            "Principal": {"Federated": PROVIDER},
            "Action": "sts:AssumeRoleWithSAML",
            "Condition": {"StringEquals": {"SAML:aud": "https://signin.aws.amazon.com/saml"}},
        }
    ]
    assert reader["MaxSessionDuration"] == 8 * 3600
    assert reader["PermissionsBoundary"] == BOUNDARY
    assert by_name["NotebookWriters"]["MaxSessionDuration"] == 3600
    assert "PermissionsBoundary" not in by_name["NotebookWriters"]
    for role in (reader, by_name["NotebookWriters"]):
        (policy,) = role["ManagedPolicyArns"]
        described = notebooks().templates["Saml"]["Resources"][policy["Ref"]]["Properties"]
        assert described["Description"].endswith(role["RoleName"])


def test_people_of_identity_center_are_mapped_to_their_session_policies() -> None:
    found = {
        each["IdentityName"]: (each["IdentityType"], each["SessionPolicyArn"]["Ref"])
        for each in notebooks().resources("Center", "AWS::EMR::StudioSessionMapping")
    }
    assert {name: kind for name, (kind, _) in found.items()} == {
        "dan@example.com": "USER",
        "Data Scientists": "GROUP",
    }
    resources = notebooks().templates["Center"]["Resources"]
    for name, (_, policy) in found.items():
        assert resources[policy]["Properties"]["Description"].endswith(name)


def test_the_user_role_is_the_upper_bound_of_all_sessions() -> None:
    (bound,) = account().policies("may do at most")
    tag = "aws:ResourceTag/emr-eks/studio"
    for name in ENDPOINTS:
        arn, role = account().endpoint(name)
        ((_, _, properties),) = [
            each
            for each in account().of_type("AWS::EMRContainers::Endpoint")
            if each[2]["Name"] == name
        ]
        tags = {each["Key"]: each["Value"] for each in properties["Tags"]}
        keys = {tag: tags["emr-eks/studio"], "emr-containers:ExecutionRoleArn": role}
        request = Request(action=CREDENTIALS, resource=arn, keys=keys)
        # Endpoints of other Studios are out of reach whatever a session policy says.
        assert allows(bound, request) is (name in ("dan-endpoint", "science"))
    # And it takes nothing away from what a session policy gives.
    for user in [each for each in USERS if each.startswith("Identity Center")]:
        for policy in account().policies(user):
            for statement in policy:
                for action in statement["Action"]:
                    for resource in statement["Resource"]:
                        keys = {
                            tag: "center",
                            "aws:userid": "A",
                            "elasticmapreduce:ResourceTag/creatorUserId": "A",
                            "iam:PassedToService": "elasticmapreduce.amazonaws.com",
                        }
                        request = Request(action=action, resource=resource, keys=keys)
                        assert allows(bound, request), (action, resource)
