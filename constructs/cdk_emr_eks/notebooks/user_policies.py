"""What one user of notebooks may do: statements as functions, and how they fit IAM's sizes.

Source: https://docs.aws.amazon.com/emr/latest/ManagementGuide/emr-studio-user-permissions.html, the
table of the actions that each operation needs.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from cdk_emr_eks.model.notebooks.studio import GitAccess, GitSecrets
from cdk_emr_eks.security.arns import regional_arn

Statement = dict[str, object]

POLICY_LIMIT: Final = 6144
"""Characters of a managed policy, white space not counted.

Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
"""
MAX_POLICIES: Final = 10
"""Managed policies of one user, group or role, unless the account's quota was raised."""

_OWN: Final = {"StringEquals": {"elasticmapreduce:ResourceTag/creatorUserId": "${aws:userid}"}}
# EMR tags each workspace with who created it, and users get no right to change tags.
# Source: https://docs.aws.amazon.com/emr/latest/ManagementGuide/emr-fine-grained-cluster-access.html
_WORK: Final = ("Describe", "Start", "Stop", "Attach", "Detach")
_SHARE: Final = (
    *("UpdateEditor", "PutWorkspaceAccess", "DeleteWorkspaceAccess"),
    "ListWorkspaceAccessIdentities",
)
_SECRET_TAG: Final = "for-use-with-amazon-emr-managed-policies"
_SECRET_OWNER: Final = "aws:ResourceTag/for-use-with-amazon-emr-managed-user-policies"


@dataclass(frozen=True, kw_only=True, slots=True)
class StudioAccess:
    """What a user's policy names of a Studio.

    Args:
        arn: ARN of the Studio.
        service_role_arn: ARN of its service role, which users pass to new workspaces.
        git: What its workspaces reach of Git. None: nothing.
    """

    arn: str
    service_role_arn: str
    git: GitAccess | None


@dataclass(frozen=True, kw_only=True, slots=True)
class EndpointAccess:
    """What a user's policy names of an endpoint.

    Args:
        arn: ARN of the endpoint.
        virtual_cluster_arn: ARN of its virtual cluster.
        role_arn: ARN of its execution role.
        version: What changes when the endpoint is replaced, and so gets another ARN.
    """

    arn: str
    virtual_cluster_arn: str
    role_arn: str
    version: str = ""


def sign_in(studio: StudioAccess) -> Statement:
    """Let an IAM identity open one Studio. People of Identity Center are assigned instead."""
    return _allow("OpenStudio", ["elasticmapreduce:CreateStudioPresignedUrl"], [studio.arn])


def workspaces(*, collaboration: bool) -> list[Statement]:
    """Let somebody create workspaces, and work in their own; with collaboration in others' too.

    EMR shows every workspace of a Studio to everybody, and who opens one that is attached to an
    endpoint runs code there. So without collaboration only the creator's are opened.
    """
    editors = [regional_arn("elasticmapreduce", "editor/*")]
    work = [*(f"elasticmapreduce:{verb}Editor" for verb in _WORK)]
    work.append("elasticmapreduce:OpenEditorInConsole")
    own = ["elasticmapreduce:DeleteEditor"]
    own += [f"elasticmapreduce:{action}" for action in _SHARE] if collaboration else work
    statements = [
        # Neither is narrowed by a workspace: one is not there yet, the other lists them.
        _allow(
            "CreateWorkspaces", [f"elasticmapreduce:{v}" for v in ("CreateEditor", "ListEditors")]
        ),
        _allow("OwnWorkspaces", own, editors, _OWN),
    ]
    if collaboration:
        statements.append(_allow("SharedWorkspaces", work, editors))
    return statements


def endpoints(access: Sequence[EndpointAccess]) -> list[Statement]:
    """Let somebody attach to these endpoints, each with its own execution role only.

    The request for credentials names an execution role. EMR's guide narrows it by the condition key
    of the role; the service authorization reference knows no such key for this action. With
    ``IfExists`` the role is held to wherever EMR tells it, and nobody is locked out where not.
    """
    clusters = list(dict.fromkeys(each.virtual_cluster_arn for each in access))
    statements = [
        _allow("ListVirtualClusters", ["emr-containers:ListVirtualClusters"]),
        *(
            _allow(
                f"VirtualClusters{number}",
                ["emr-containers:DescribeVirtualCluster", "emr-containers:ListManagedEndpoints"],
                some,
            )
            for number, some in enumerate(_batches(clusters))
        ),
    ]
    roles: dict[str, list[str]] = {}
    for each in access:
        roles.setdefault(each.role_arn, []).append(each.arn)
    actions = ["DescribeManagedEndpoint", "GetManagedEndpointSessionCredentials"]
    batches = [(role, some) for role, arns in roles.items() for some in _batches(arns)]
    statements += [
        _allow(
            f"Endpoints{number}",
            [f"emr-containers:{action}" for action in actions],
            some,
            {"ArnEqualsIfExists": {"emr-containers:ExecutionRoleArn": role}},
        )
        for number, (role, some) in enumerate(batches)
    ]
    return statements


def any_endpoint(studio_tag: Mapping[str, str]) -> list[Statement]:
    """Bound what sessions of a Studio's user role may attach to: endpoints with the Studio's tag.

    A session policy narrows it to the person's own endpoints.
    """
    base = regional_arn("emr-containers", "/virtualclusters/*")
    tagged = {f"aws:ResourceTag/{key}": value for key, value in studio_tag.items()}
    see = ["emr-containers:DescribeVirtualCluster", "emr-containers:ListManagedEndpoints"]
    actions = ["DescribeManagedEndpoint", "GetManagedEndpointSessionCredentials"]
    return [
        _allow("ListVirtualClusters", ["emr-containers:ListVirtualClusters"]),
        _allow("VirtualClusters", see, [base]),
        _allow(
            "Endpoints",
            [f"emr-containers:{action}" for action in actions],
            [f"{base}/endpoints/*"],
            {"StringEquals": tagged},
        ),
    ]


def pass_service_role(studio: StudioAccess) -> Statement:
    """Let somebody hand the Studio's service role to a workspace, and to nothing but EMR."""
    # With a wildcard as EMR writes it: the name of the service has a suffix in some partitions.
    service = {"StringLike": {"iam:PassedToService": "elasticmapreduce.amazonaws.com*"}}
    return _allow("PassServiceRole", ["iam:PassRole"], [studio.service_role_arn], service)


def git_links(access: GitAccess | None) -> list[Statement]:
    """Let somebody link Git repositories, with credentials that nobody else can read.

    EMR writes the creator into a tag of each secret. Without the condition on that tag, whoever may
    tag secrets could make those of others their own.
    """
    if access is None:
        return []
    verbs = ("Create", "Delete", "Describe", "Link", "Unlink")
    actions = [f"elasticmapreduce:{verb}Repository" for verb in verbs]
    statements = [_allow("Repositories", [*actions, "elasticmapreduce:ListRepositories"])]
    if access.secrets is GitSecrets.NONE:
        return statements
    base = regional_arn("secretsmanager", "secret:emr-studio-*")
    tagged = {"StringEquals": {f"aws:RequestTag/{_SECRET_TAG}": "true"}}
    own = {_SECRET_OWNER: "${aws:userid}"}
    statements += [
        _allow("ListSecrets", ["secretsmanager:ListSecrets"]),
        _allow("CreateSecrets", ["secretsmanager:CreateSecret"], [base], tagged),
        # A new secret has no tag yet; another's has another owner's.
        _allow(
            "TagSecrets",
            ["secretsmanager:TagResource"],
            [base],
            {"StringEqualsIfExists": own},
        ),
    ]
    if access.secrets is GitSecrets.USER:
        read = ["secretsmanager:GetSecretValue"]
        statements.append(_allow("ReadOwnSecrets", read, [base], {"StringEquals": own}))
    return statements


def documents(statements: Iterable[Statement]) -> list[Statement]:
    """Spread statements over as few policy documents as IAM's size allows, in order."""
    found: list[list[Statement]] = [[]]
    for statement in statements:
        if found[-1] and size([*found[-1], statement]) > POLICY_LIMIT:
            found.append([])
        found[-1].append(statement)
    return [{"Version": "2012-10-17", "Statement": each} for each in found]


def size(statements: Sequence[Statement]) -> int:
    """Count a policy's characters as IAM does, with each token at its longest."""
    document = {"Version": "2012-10-17", "Statement": list(statements)}
    text = json.dumps(document, separators=(",", ":"))
    return len(_TOKEN.sub(lambda found: "x" * _LENGTHS.get(found[1], _LONGEST_ARN), text))


def wildcards(statements: Iterable[Statement]) -> dict[str, str]:
    """Return why a resource with a wildcard has it, by the resource."""
    return {
        resource: _REASONS[re.sub(r"\d+$", "", str(statement["Sid"]))]
        for statement in statements
        for resource in _listed(statement["Resource"])
        if "*" in resource
    }


_TOKEN: Final = re.compile(r"\$\{Token\[([A-Za-z.]+)\.\d+\]\}")
_LENGTHS: Final = {"AWS.Partition": 10, "AWS.Region": 14, "AWS.AccountId": 12}
# aws-us-gov, ap-southeast-1; what else is a token is an ARN or a part of one, and the longest is
# that of an endpoint with ids of 64 characters, which is what EMR's API allows.
_LONGEST_ARN: Final = (
    len("arn:aws-us-gov:emr-containers:ap-southeast-1:111122223333:/virtualclusters/")
    + 64
    + len("/endpoints/")
    + 64
)
_BATCH: Final = 12
# A statement of 12 such ARNs fits a policy with room for its actions, condition and role.

_REASONS: Final = {
    "CreateWorkspaces": "A workspace that is not there yet has no ARN, and listing takes none",
    "OwnWorkspaces": "EMR names the workspaces; the condition holds to those the user created",
    "SharedWorkspaces": "EMR names the workspaces; collaboration was asked for",
    "ListVirtualClusters": "The action takes no resource",
    "VirtualClusters": "Names and states only; the session policy names the user's own",
    "Endpoints": "Endpoints with the Studio's tag; the session policy names the user's own",
    "Repositories": "The actions take no resource",
    "ListSecrets": "The action takes no resource",
    "CreateSecrets": "EMR Studio names the secrets, with its own prefix",
    "TagSecrets": "EMR Studio names the secrets; those of other users are left out",
    "ReadOwnSecrets": "EMR Studio names the secrets; the condition holds to the user's own",
}


def _batches(arns: Sequence[str]) -> list[list[str]]:
    return [list(arns[start : start + _BATCH]) for start in range(0, len(arns), _BATCH)]


def _listed(value: object) -> list[str]:
    return [str(each) for each in value] if isinstance(value, list) else [str(value)]


def _allow(
    sid: str,
    actions: Sequence[str],
    resources: Sequence[str] = ("*",),
    conditions: Mapping[str, Mapping[str, object]] | None = None,
) -> Statement:
    statement: Statement = {
        "Sid": sid,
        "Effect": "Allow",
        "Action": list(actions),
        "Resource": list(resources),
    }
    if conditions:
        statement["Condition"] = {key: dict(value) for key, value in conditions.items()}
    return statement
