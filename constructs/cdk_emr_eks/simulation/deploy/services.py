"""Resources of other AWS services that a row of a table cannot say: groups, queues, rules, logs."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from cdk_emr_eks.assembly.paths import mapping, sequence
from cdk_emr_eks.simulation.deploy.account import tags
from cdk_emr_eks.simulation.deploy.names import physical_name
from cdk_emr_eks.simulation.deploy.outcome import Deployed, Outcome, Request
from cdk_emr_eks.simulation.deploy.resolve import Made

if TYPE_CHECKING:
    from cdk_emr_eks.simulation.aws import EmulatedAws

_QUEUE_NAMES: Final = frozenset({"QueueName", "Tags"})


def deploy_security_group(request: Request, aws: EmulatedAws) -> Deployed:
    """Make a security group. Its rules are left out: in the simulation no packet is sent."""
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
        made=Made(ref=group, attributes={"GroupId": group, "VpcId": request.text("VpcId")}),
        outcome=Outcome.EMULATED,
        why="without its rules: no packet is sent",
        undo=undo,
    )


def deploy_queue(request: Request, aws: EmulatedAws) -> Deployed:
    """Make a queue."""
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
    made = Made(ref=url, attributes={"Arn": arn, "QueueName": name, "QueueUrl": url})
    return Deployed(made=made, outcome=Outcome.EMULATED, undo=undo)


def deploy_queue_policy(request: Request, aws: EmulatedAws) -> Deployed:
    """Give queues their policy; EventBridge's delivery is held to it."""
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
        made=Made(ref=physical_name(request), attributes={}), outcome=Outcome.EMULATED, undo=undo
    )


def deploy_rule(request: Request, aws: EmulatedAws) -> Deployed:
    """Make a rule of EventBridge with its targets."""
    events = aws.client("events")
    given = request.properties
    name = request.text("Name") or physical_name(request)
    arguments: dict[str, object] = {"Name": name, "State": request.text("State", "ENABLED")}
    if "EventPattern" in given:
        arguments["EventPattern"] = json.dumps(given["EventPattern"])
    for passed in ("ScheduleExpression", "Description", "EventBusName", "RoleArn"):
        if passed in given:
            arguments[passed] = given[passed]
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
        made=Made(ref=name, attributes={"Arn": arn}), outcome=Outcome.EMULATED, undo=undo
    )


def deploy_log_group(request: Request, aws: EmulatedAws) -> Deployed:
    """Make a log group; nothing is written to it."""
    logs = aws.client("logs")
    name = request.text("LogGroupName") or physical_name(request, 512)
    logs.create_log_group(logGroupName=name, tags=tags(request))

    def undo(_: float) -> tuple[str, ...]:
        logs.delete_log_group(logGroupName=name)
        return ()

    arn = f"arn:{aws.partition}:logs:{aws.region}:{aws.account}:log-group:{name}:*"
    return Deployed(
        made=Made(ref=name, attributes={"Arn": arn}),
        outcome=Outcome.EMULATED,
        why="nothing writes to it",
        undo=undo,
    )


def deploy_parameter(request: Request, aws: EmulatedAws) -> Deployed:
    """Make a parameter of Systems Manager."""
    ssm = aws.client("ssm")
    name = request.text("Name") or physical_name(request, 1011)
    kind, value = request.text("Type", "String"), request.text("Value")
    ssm.put_parameter(Name=name, Type=kind, Value=value)

    def undo(_: float) -> tuple[str, ...]:
        ssm.delete_parameter(Name=name)
        return ()

    return Deployed(
        made=Made(ref=name, attributes={"Type": kind, "Value": value}),
        outcome=Outcome.EMULATED,
        undo=undo,
    )


def _attribute(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return json.dumps(dict(value)) if isinstance(value, Mapping) else str(value)
