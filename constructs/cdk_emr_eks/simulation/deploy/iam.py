"""IAM's resources in the emulated account."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from cdk_emr_eks.assembly.paths import mapping, sequence
from cdk_emr_eks.simulation.deploy.names import physical_name
from cdk_emr_eks.simulation.deploy.outcome import Deployed, Outcome, Request
from cdk_emr_eks.simulation.deploy.resolve import Made

if TYPE_CHECKING:
    from botocore.client import BaseClient

    from cdk_emr_eks.simulation.aws import EmulatedAws


def deploy_role(request: Request, aws: EmulatedAws) -> Deployed:
    """Make a role with its policies."""
    iam = aws.client("iam")
    given = request.properties
    name = request.text("RoleName") or physical_name(request)
    arguments: dict[str, object] = {
        "RoleName": name,
        "AssumeRolePolicyDocument": json.dumps(given.get("AssumeRolePolicyDocument")),
        "Tags": given.get("Tags") or [],
    }
    for passed in ("Path", "Description", "MaxSessionDuration", "PermissionsBoundary"):
        if passed in given:
            arguments[passed] = given[passed]
    role = iam.create_role(**arguments)["Role"]
    for arn in sequence(given.get("ManagedPolicyArns")):
        iam.attach_role_policy(RoleName=name, PolicyArn=arn)
    for policy in map(mapping, sequence(given.get("Policies"))):
        document = json.dumps(policy.get("PolicyDocument"))
        iam.put_role_policy(
            RoleName=name, PolicyName=policy.get("PolicyName"), PolicyDocument=document
        )

    def undo(_: float) -> tuple[str, ...]:
        _delete_role(iam, name)
        return ()

    attributes = {"Arn": role["Arn"], "RoleId": role["RoleId"]}
    return Deployed(made=Made(ref=name, attributes=attributes), outcome=Outcome.EMULATED, undo=undo)


def deploy_policy(request: Request, aws: EmulatedAws) -> Deployed:
    """Put an inline policy into its roles."""
    iam = aws.client("iam")
    name = request.text("PolicyName")
    document = json.dumps(request.properties.get("PolicyDocument"))
    roles = [str(role) for role in sequence(request.properties.get("Roles"))]
    for role in roles:
        iam.put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=document)

    def undo(_: float) -> tuple[str, ...]:
        for role in roles:
            iam.delete_role_policy(RoleName=role, PolicyName=name)
        return ()

    unread = [key for key in ("Users", "Groups") if request.properties.get(key)]
    return Deployed(
        made=Made(ref=physical_name(request), attributes={}),
        outcome=Outcome.EMULATED,
        why=f"without effect: {', '.join(unread)}" if unread else "",
        undo=undo,
    )


def deploy_managed_policy(request: Request, aws: EmulatedAws) -> Deployed:
    """Make a managed policy and attach it to its roles."""
    iam = aws.client("iam")
    given = request.properties
    arguments: dict[str, object] = {
        "PolicyName": request.text("ManagedPolicyName") or physical_name(request, 128),
        "PolicyDocument": json.dumps(given.get("PolicyDocument")),
    }
    for passed in ("Path", "Description"):
        if passed in given:
            arguments[passed] = given[passed]
    arn = iam.create_policy(**arguments)["Policy"]["Arn"]
    roles = [str(role) for role in sequence(given.get("Roles"))]
    for role in roles:
        iam.attach_role_policy(RoleName=role, PolicyArn=arn)

    def undo(_: float) -> tuple[str, ...]:
        for role in roles:
            iam.detach_role_policy(RoleName=role, PolicyArn=arn)
        iam.delete_policy(PolicyArn=arn)
        return ()

    return Deployed(
        made=Made(ref=arn, attributes={"PolicyArn": arn}), outcome=Outcome.EMULATED, undo=undo
    )


def deploy_instance_profile(request: Request, aws: EmulatedAws) -> Deployed:
    """Make an instance profile with its role."""
    iam = aws.client("iam")
    name = request.text("InstanceProfileName") or physical_name(request, 128)
    made = iam.create_instance_profile(InstanceProfileName=name)["InstanceProfile"]
    roles = [str(role) for role in sequence(request.properties.get("Roles"))]
    for role in roles:
        iam.add_role_to_instance_profile(InstanceProfileName=name, RoleName=role)

    def undo(_: float) -> tuple[str, ...]:
        for role in roles:
            iam.remove_role_from_instance_profile(InstanceProfileName=name, RoleName=role)
        iam.delete_instance_profile(InstanceProfileName=name)
        return ()

    return Deployed(
        made=Made(ref=name, attributes={"Arn": made["Arn"]}), outcome=Outcome.EMULATED, undo=undo
    )


def deploy_service_linked_role(request: Request, aws: EmulatedAws) -> Deployed:
    """Make a service's own role, which stays when the stack goes, as other stacks may use it."""
    iam = aws.client("iam")
    role = iam.create_service_linked_role(AWSServiceName=request.text("AWSServiceName"))["Role"]
    return Deployed(
        made=Made(ref=role["RoleName"], attributes={"RoleName": role["RoleName"]}),
        outcome=Outcome.EMULATED,
    )


def _delete_role(iam: BaseClient, name: str) -> None:
    for policy in iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"]:
        iam.detach_role_policy(RoleName=name, PolicyArn=policy["PolicyArn"])
    for inline in iam.list_role_policies(RoleName=name)["PolicyNames"]:
        iam.delete_role_policy(RoleName=name, PolicyName=inline)
    # Karpenter makes instance profiles of its own with the nodes' role.
    for profile in iam.list_instance_profiles_for_role(RoleName=name)["InstanceProfiles"]:
        iam.remove_role_from_instance_profile(
            InstanceProfileName=profile["InstanceProfileName"], RoleName=name
        )
    iam.delete_role(RoleName=name)
