"""Deploy resources of AWS services that need more than one API call: IAM, queues, rules, logs."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from cdk_emr_eks.assembly.evaluation import ResourceValues
from cdk_emr_eks.assembly.paths import mapping, sequence
from cdk_emr_eks.simulation.deploy.account import tags
from cdk_emr_eks.simulation.deploy.model import Deployed, DeployOutcome, Request, physical_name

if TYPE_CHECKING:
    from botocore.client import BaseClient

    from cdk_emr_eks.simulation.aws import EmulatedAws


_QUEUE_NAMES: Final = frozenset({"QueueName", "Tags"})


def deploy_security_group(request: Request, aws: EmulatedAws) -> Deployed:
    """Create a security group without its rules, since the simulation sends no packet."""
    ec2 = aws.client("ec2")
    arguments: dict[str, object] = {
        "GroupName": request.text("GroupName") or physical_name(request, 255),
        "Description": request.text("GroupDescription"),
        "VpcId": request.text("VpcId"),
    }
    if request.properties.get("Tags"):
        specification = {"ResourceType": "security-group", "Tags": request.properties["Tags"]}
        arguments["TagSpecifications"] = [specification]
    group = ec2.create_security_group(**arguments)["GroupId"]

    def undo(_: float) -> tuple[str, ...]:
        ec2.delete_security_group(GroupId=group)
        return ()

    return Deployed(
        values=ResourceValues(
            ref=group, attributes={"GroupId": group, "VpcId": request.text("VpcId")}
        ),
        outcome=DeployOutcome.EMULATED,
        why="without its rules: no packet is sent",
        undo=undo,
    )


def deploy_queue(request: Request, aws: EmulatedAws) -> Deployed:
    """Create an SQS queue."""
    sqs = aws.client("sqs")
    name = request.text("QueueName") or physical_name(request, 80)
    attributes = {
        key: _attribute(value)
        for key, value in request.properties.items()
        if key not in _QUEUE_NAMES
    }
    url = sqs.create_queue(QueueName=name, Attributes=attributes, tags=tags(request))["QueueUrl"]
    answer = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])

    def undo(_: float) -> tuple[str, ...]:
        sqs.delete_queue(QueueUrl=url)
        return ()

    arn = answer["Attributes"]["QueueArn"]
    values = ResourceValues(ref=url, attributes={"Arn": arn, "QueueName": name, "QueueUrl": url})
    return Deployed(values=values, outcome=DeployOutcome.EMULATED, undo=undo)


def deploy_queue_policy(request: Request, aws: EmulatedAws) -> Deployed:
    """Set the policy of queues. EventBridge delivers only what the policy allows."""
    sqs = aws.client("sqs")
    document = json.dumps(request.properties.get("PolicyDocument"))
    queues = [str(url) for url in sequence(request.properties.get("Queues"))]
    for url in queues:
        sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": document})

    def undo(_: float) -> tuple[str, ...]:
        for url in queues:
            sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": ""})
        return ()

    return Deployed(
        values=ResourceValues(ref=physical_name(request), attributes={}),
        outcome=DeployOutcome.EMULATED,
        undo=undo,
    )


def deploy_rule(request: Request, aws: EmulatedAws) -> Deployed:
    """Create an EventBridge rule with its targets."""
    events = aws.client("events")
    given = request.properties
    name = request.text("Name") or physical_name(request)
    arguments: dict[str, object] = {"Name": name, "State": request.text("State", "ENABLED")}
    if "EventPattern" in given:
        arguments["EventPattern"] = json.dumps(given["EventPattern"])
    for option in ("ScheduleExpression", "Description", "EventBusName", "RoleArn"):
        if option in given:
            arguments[option] = given[option]
    arn = events.put_rule(**arguments)["RuleArn"]
    targets = [dict(mapping(target)) for target in sequence(given.get("Targets"))]
    if targets:
        events.put_targets(Rule=name, Targets=targets)

    def undo(_: float) -> tuple[str, ...]:
        left = events.list_targets_by_rule(Rule=name)["Targets"]
        if left:
            events.remove_targets(Rule=name, Ids=[target["Id"] for target in left])
        events.delete_rule(Name=name)
        return ()

    return Deployed(
        values=ResourceValues(ref=name, attributes={"Arn": arn}),
        outcome=DeployOutcome.EMULATED,
        undo=undo,
    )


def deploy_log_group(request: Request, aws: EmulatedAws) -> Deployed:
    """Create a log group. Nothing writes to it."""
    logs = aws.client("logs")
    name = request.text("LogGroupName") or physical_name(request, 512)
    logs.create_log_group(logGroupName=name, tags=tags(request))

    def undo(_: float) -> tuple[str, ...]:
        logs.delete_log_group(logGroupName=name)
        return ()

    arn = f"arn:{aws.partition}:logs:{aws.region}:{aws.account}:log-group:{name}:*"
    return Deployed(
        values=ResourceValues(ref=name, attributes={"Arn": arn}),
        outcome=DeployOutcome.EMULATED,
        why="nothing writes to it",
        undo=undo,
    )


def deploy_parameter(request: Request, aws: EmulatedAws) -> Deployed:
    """Create a parameter of Systems Manager."""
    ssm = aws.client("ssm")
    name = request.text("Name") or physical_name(request, 1011)
    kind, value = request.text("Type", "String"), request.text("Value")
    ssm.put_parameter(Name=name, Type=kind, Value=value)

    def undo(_: float) -> tuple[str, ...]:
        ssm.delete_parameter(Name=name)
        return ()

    return Deployed(
        values=ResourceValues(ref=name, attributes={"Type": kind, "Value": value}),
        outcome=DeployOutcome.EMULATED,
        undo=undo,
    )


def _attribute(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return json.dumps(dict(value)) if isinstance(value, Mapping) else str(value)


def deploy_role(request: Request, aws: EmulatedAws) -> Deployed:
    """Create an IAM role with its policies."""
    iam = aws.client("iam")
    given = request.properties
    name = request.text("RoleName") or physical_name(request)
    arguments: dict[str, object] = {
        "RoleName": name,
        "AssumeRolePolicyDocument": json.dumps(given.get("AssumeRolePolicyDocument")),
        "Tags": given.get("Tags") or [],
    }
    for option in ("Path", "Description", "MaxSessionDuration", "PermissionsBoundary"):
        if option in given:
            arguments[option] = given[option]
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
    return Deployed(
        values=ResourceValues(ref=name, attributes=attributes),
        outcome=DeployOutcome.EMULATED,
        undo=undo,
    )


def deploy_policy(request: Request, aws: EmulatedAws) -> Deployed:
    """Add an inline policy to its roles."""
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
        values=ResourceValues(ref=physical_name(request), attributes={}),
        outcome=DeployOutcome.EMULATED,
        why=f"ignored: {', '.join(unread)}" if unread else "",
        undo=undo,
    )


def deploy_managed_policy(request: Request, aws: EmulatedAws) -> Deployed:
    """Create a managed policy and attach it to its roles."""
    iam = aws.client("iam")
    given = request.properties
    arguments: dict[str, object] = {
        "PolicyName": request.text("ManagedPolicyName") or physical_name(request, 128),
        "PolicyDocument": json.dumps(given.get("PolicyDocument")),
    }
    for option in ("Path", "Description"):
        if option in given:
            arguments[option] = given[option]
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
        values=ResourceValues(ref=arn, attributes={"PolicyArn": arn}),
        outcome=DeployOutcome.EMULATED,
        undo=undo,
    )


def deploy_instance_profile(request: Request, aws: EmulatedAws) -> Deployed:
    """Create an instance profile with its role."""
    iam = aws.client("iam")
    name = request.text("InstanceProfileName") or physical_name(request, 128)
    created = iam.create_instance_profile(InstanceProfileName=name)["InstanceProfile"]
    roles = [str(role) for role in sequence(request.properties.get("Roles"))]
    for role in roles:
        iam.add_role_to_instance_profile(InstanceProfileName=name, RoleName=role)

    def undo(_: float) -> tuple[str, ...]:
        for role in roles:
            iam.remove_role_from_instance_profile(InstanceProfileName=name, RoleName=role)
        iam.delete_instance_profile(InstanceProfileName=name)
        return ()

    return Deployed(
        values=ResourceValues(ref=name, attributes={"Arn": created["Arn"]}),
        outcome=DeployOutcome.EMULATED,
        undo=undo,
    )


def deploy_service_linked_role(request: Request, aws: EmulatedAws) -> Deployed:
    """Create a service-linked role. It is not deleted with the stack: other stacks may use it."""
    iam = aws.client("iam")
    role = iam.create_service_linked_role(AWSServiceName=request.text("AWSServiceName"))["Role"]
    return Deployed(
        values=ResourceValues(ref=role["RoleName"], attributes={"RoleName": role["RoleName"]}),
        outcome=DeployOutcome.EMULATED,
    )


def _delete_role(iam: BaseClient, name: str) -> None:
    for policy in iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"]:
        iam.detach_role_policy(RoleName=name, PolicyArn=policy["PolicyArn"])
    for inline in iam.list_role_policies(RoleName=name)["PolicyNames"]:
        iam.delete_role_policy(RoleName=name, PolicyName=inline)
    # Karpenter creates more instance profiles with the role of the nodes.
    for profile in iam.list_instance_profiles_for_role(RoleName=name)["InstanceProfiles"]:
        iam.remove_role_from_instance_profile(
            InstanceProfileName=profile["InstanceProfileName"], RoleName=name
        )
    iam.delete_role(RoleName=name)
