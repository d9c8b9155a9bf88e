"""IAM statements for one user of notebooks, spread over policies within IAM's size limit.

Source: https://docs.aws.amazon.com/emr/latest/ManagementGuide/emr-studio-user-permissions.html, the
table of the actions for each operation.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from cdk_emr_eks.model.notebooks.studio import GitAccess, GitSecrets
from cdk_emr_eks.security.iam import regional_arn
from cdk_emr_eks.security.iam_statements import MAX_POLICY_CHARACTERS, Document, Statement, allow

# Managed policies of one user, group or role, unless the quota of the account was raised.
MAX_POLICIES: Final = 10

# EMR tags each workspace with the id of its creator, and users have no permission to change tags.
# Source: https://docs.aws.amazon.com/emr/latest/ManagementGuide/emr-fine-grained-cluster-access.html
_OWN: Final = {"StringEquals": {"elasticmapreduce:ResourceTag/creatorUserId": "${aws:userid}"}}
_WORK: Final = ("Describe", "Start", "Stop", "Attach", "Detach")
_SHARE: Final = (
    *("UpdateEditor", "PutWorkspaceAccess", "DeleteWorkspaceAccess"),
    "ListWorkspaceAccessIdentities",
)
_SECRET_TAG: Final = "for-use-with-amazon-emr-managed-policies"
_SECRET_OWNER: Final = "aws:ResourceTag/for-use-with-amazon-emr-managed-user-policies"

_TOKEN: Final = re.compile(r"\$\{Token\[([A-Za-z.]+)\.\d+\]\}")
# Lengths of aws-us-gov, ap-southeast-1 and an account.
_LENGTHS: Final = {"AWS.Partition": 10, "AWS.Region": 14, "AWS.AccountId": 12}
# Other tokens are ARNs or parts of ARNs. The longest ARN is that of an endpoint with ids of 64
# characters, which EMR's API allows.
_LONGEST_ARN: Final = (
    len("arn:aws-us-gov:emr-containers:ap-southeast-1:111122223333:/virtualclusters/")
    + 64
    + len("/endpoints/")
    + 64
)
# A statement of 12 such ARNs fits a policy with its actions, condition and role.
_BATCH: Final = 12

# Why resources have a wildcard, by the name of the statement.
_REASONS: Final = {
    "CreateWorkspaces": "A new workspace has no ARN yet, and listing supports no resource",
    "OwnWorkspaces": "EMR names the workspaces; the condition requires that the user created them",
    "SharedWorkspaces": "EMR names the workspaces; collaboration is on",
    "ListVirtualClusters": "The action supports no resource",
    "VirtualClusters": "Names and states only; the session policy names the user's own",
    "Endpoints": "Endpoints with the Studio's tag; the session policy names the user's own",
    "Repositories": "The actions support no resource",
    "ListSecrets": "The action supports no resource",
    "CreateSecrets": "EMR Studio names the secrets, with a separate prefix",
    "TagSecrets": "EMR Studio names the secrets; the condition excludes those of other users",
    "ReadOwnSecrets": "EMR Studio names the secrets; the condition requires the user's own",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class StudioAccess:
    """ARNs and options of a Studio that a user's policy contains.

    Args:
        arn: ARN of the Studio.
        service_role_arn: ARN of its service role, which users pass to new workspaces.
        git: Git services that its workspaces may reach. None: none.
    """

    arn: str
    service_role_arn: str
    git: GitAccess | None


@dataclass(frozen=True, kw_only=True, slots=True)
class EndpointAccess:
    """ARNs of an endpoint that a user's policy contains.

    Args:
        arn: ARN of the endpoint.
        virtual_cluster_arn: ARN of its virtual cluster.
        role_arn: ARN of its execution role.
        version: Text that changes when the endpoint is replaced and so has another ARN.
    """

    arn: str
    virtual_cluster_arn: str
    role_arn: str
    version: str = ""


def sign_in(studio: StudioAccess) -> Statement:
    """Let an IAM identity open one Studio. Users of Identity Center are assigned instead."""
    return allow("OpenStudio", ["elasticmapreduce:CreateStudioPresignedUrl"], [studio.arn])


def workspaces(*, collaboration: bool) -> list[Statement]:
    """Let a user create workspaces and use the user's own; with collaboration, all of the Studio.

    EMR shows every workspace of a Studio to all its users, and a user who opens a workspace runs
    code on the endpoint that it is attached to. So without collaboration only the creator may open
    a workspace.
    """
    editors = [regional_arn("elasticmapreduce", "editor/*")]
    work = [*(f"elasticmapreduce:{verb}Editor" for verb in _WORK)]
    work.append("elasticmapreduce:OpenEditorInConsole")
    own = ["elasticmapreduce:DeleteEditor"]
    own += [f"elasticmapreduce:{action}" for action in _SHARE] if collaboration else work
    statements = [
        # Neither supports a workspace as resource: one creates it, the other lists all.
        allow(
            "CreateWorkspaces",
            ["elasticmapreduce:CreateEditor", "elasticmapreduce:ListEditors"],
            ["*"],
        ),
        allow("OwnWorkspaces", own, editors, _OWN),
    ]
    if collaboration:
        statements.append(allow("SharedWorkspaces", work, editors))
    return statements


def endpoints(access: Sequence[EndpointAccess]) -> list[Statement]:
    """Let a user attach to these endpoints, each with its execution role only.

    The request for credentials names an execution role. EMR's guide narrows the action by the
    condition key of the role; the service authorization reference does not list the key for this
    action. ``IfExists`` requires the role if EMR passes the key, and allows the action if not.
    """
    clusters = list(dict.fromkeys(each.virtual_cluster_arn for each in access))
    statements = [
        allow("ListVirtualClusters", ["emr-containers:ListVirtualClusters"], ["*"]),
        *(
            allow(
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
        allow(
            f"Endpoints{number}",
            [f"emr-containers:{action}" for action in actions],
            some,
            {"ArnEqualsIfExists": {"emr-containers:ExecutionRoleArn": role}},
        )
        for number, (role, some) in enumerate(batches)
    ]
    return statements


def any_endpoint(studio_tag: Mapping[str, str]) -> list[Statement]:
    """Limit sessions of a Studio's user role to endpoints with the Studio's tag.

    A session policy narrows them to the endpoints of one user.
    """
    base = regional_arn("emr-containers", "/virtualclusters/*")
    tagged = {f"aws:ResourceTag/{key}": value for key, value in studio_tag.items()}
    see = ["emr-containers:DescribeVirtualCluster", "emr-containers:ListManagedEndpoints"]
    actions = ["DescribeManagedEndpoint", "GetManagedEndpointSessionCredentials"]
    return [
        allow("ListVirtualClusters", ["emr-containers:ListVirtualClusters"], ["*"]),
        allow("VirtualClusters", see, [base]),
        allow(
            "Endpoints",
            [f"emr-containers:{action}" for action in actions],
            [f"{base}/endpoints/*"],
            {"StringEquals": tagged},
        ),
    ]


def pass_service_role(studio: StudioAccess) -> Statement:
    """Let a user pass the Studio's service role to EMR only, for a workspace."""
    # With a wildcard, as in EMR's guide: the service name has a suffix in some partitions.
    service = {"StringLike": {"iam:PassedToService": "elasticmapreduce.amazonaws.com*"}}
    return allow("PassServiceRole", ["iam:PassRole"], [studio.service_role_arn], service)


def git_links(access: GitAccess | None) -> list[Statement]:
    """Let a user link Git repositories, with credentials that no other user can read.

    EMR writes the creator into a tag of each secret. Without the condition on that tag, a user with
    permission to tag secrets could take over the secrets of others.
    """
    if access is None:
        return []
    verbs = ("Create", "Delete", "Describe", "Link", "Unlink")
    actions = [f"elasticmapreduce:{verb}Repository" for verb in verbs]
    statements = [allow("Repositories", [*actions, "elasticmapreduce:ListRepositories"], ["*"])]
    if access.secrets is GitSecrets.NONE:
        return statements
    base = regional_arn("secretsmanager", "secret:emr-studio-*")
    tagged = {"StringEquals": {f"aws:RequestTag/{_SECRET_TAG}": "true"}}
    own = {_SECRET_OWNER: "${aws:userid}"}
    statements += [
        allow("ListSecrets", ["secretsmanager:ListSecrets"], ["*"]),
        allow("CreateSecrets", ["secretsmanager:CreateSecret"], [base], tagged),
        # A new secret has no tag yet; the secret of another user has the tag of that user.
        allow(
            "TagSecrets",
            ["secretsmanager:TagResource"],
            [base],
            {"StringEqualsIfExists": own},
        ),
    ]
    if access.secrets is GitSecrets.USER:
        read = ["secretsmanager:GetSecretValue"]
        statements.append(allow("ReadOwnSecrets", read, [base], {"StringEquals": own}))
    return statements


def documents(statements: Iterable[Statement]) -> list[Document]:
    """Spread statements over policy documents within IAM's size limit, in order."""
    found: list[list[Statement]] = [[]]
    for statement in statements:
        if found[-1] and size([*found[-1], statement]) > MAX_POLICY_CHARACTERS:
            found.append([])
        found[-1].append(statement)
    return [{"Version": "2012-10-17", "Statement": each} for each in found]


def size(statements: Sequence[Statement]) -> int:
    """Return the characters of a policy as IAM counts them, with each token at its longest."""
    document = {"Version": "2012-10-17", "Statement": list(statements)}
    text = json.dumps(document, separators=(",", ":"))
    return len(_TOKEN.sub(lambda found: "x" * _LENGTHS.get(found[1], _LONGEST_ARN), text))


def wildcards(statements: Iterable[Statement]) -> dict[str, str]:
    """Return why resources have a wildcard, by resource."""
    return {
        resource: _REASONS[re.sub(r"\d+$", "", str(statement["Sid"]))]
        for statement in statements
        for resource in _listed(statement["Resource"])
        if "*" in resource
    }


def _batches(arns: Sequence[str]) -> list[list[str]]:
    return [list(arns[start : start + _BATCH]) for start in range(0, len(arns), _BATCH)]


def _listed(value: object) -> list[str]:
    return [str(each) for each in value] if isinstance(value, list) else [str(value)]
