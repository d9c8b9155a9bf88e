"""Resources that values refer to."""

from __future__ import annotations

from pathlib import Path

from cdk_emr_eks.assembly import open_assembly
from cdk_emr_eks.assembly.references import names, reads_zones, stacks_read
from tests.unit.assembly.assemblies import resource, resources, write_assembly

QUEUE = resource("AWS::SQS::Queue", QueueName="jobs")


def test_names() -> None:
    value = {
        "a": [{"Ref": "One"}, {"Fn::GetAtt": ["Two", "Arn"]}, {"Fn::GetAtt": "Three.Arn"}],
        "b": {"Fn::Sub": ["${Four} ${Five.Arn} ${!Not} ${Own}", {"Own": {"Ref": "Six"}}]},
        "c": {"Fn::Join": ["", ["x", {"Fn::Sub": "${Seven}"}]]},
    }
    expected = ["One", "Two", "Three", "Four", "Five", "Six", "Seven"]
    assert list(names(value)) == expected


def test_targets_in_other_stacks(tmp_path: Path) -> None:
    platform = {
        **resources(
            Queue=QUEUE,
            Writer=resource(
                "Custom::CrossRegionExportWriter",
                WriterProps={"exports": {"/cdk/exports/q": {"Ref": "Queue"}}},
            ),
        ),
        "Outputs": {
            "Exported": {
                "Value": {"Fn::GetAtt": ["Queue", "Arn"]},
                "Export": {"Name": {"Fn::Sub": "${AWS::StackName}:Queue"}},
            },
            "Plain": {"Value": {"Ref": "Queue"}},
        },
    }
    tenant = resources(Reader=resource("Custom::CrossRegionExportReader"), Topic=QUEUE)
    assembly = open_assembly(write_assembly(tmp_path, {"Platform": platform, "Tenant": tenant}))
    stack = assembly.stacks[1]
    found = assembly.targets
    for value in (
        {"Fn::ImportValue": {"Fn::Sub": "${AWS::StackName}:Queue"}},
        {"Fn::GetStackOutput": {"StackName": "Platform", "OutputName": "Plain"}},
        {"Fn::GetAtt": ["Reader", "/cdk/exports/q"]},
        {"deep": [{"Fn::Join": ["", [{"Fn::ImportValue": "${AWS::StackName}:Queue"}]]}]},
    ):
        (target,) = found(stack, value)
        assert target.key == ("Platform", "Queue")
        assert target.kind == "AWS::SQS::Queue"
        assert target.text("QueueName") == "jobs"
    assert [target.key for target in found(stack, {"Ref": "Topic"})] == [("Tenant", "Topic")]
    for absent in (
        {"Ref": "AWS::Region"},
        {"Fn::ImportValue": {"Ref": "Topic"}},
        {"Fn::GetStackOutput": {"StackName": "Platform", "OutputName": "Absent"}},
    ):
        assert list(found(stack, absent)) == []


def test_reads_of_zones_and_of_other_stacks(tmp_path: Path) -> None:
    zones = resource("AWS::EC2::Subnet", AvailabilityZone={"Fn::Select": [0, {"Fn::GetAZs": ""}]})
    reader = {"Fn::GetStackOutput": {"StackName": "Zoned", "OutputName": "Plain"}}
    templates = {
        "Zoned": resources(Subnet=zones),
        "Reads": {"Outputs": {"O": {"Value": reader}}},
    }
    zoned, reads = open_assembly(write_assembly(tmp_path, templates)).stacks
    assert (reads_zones(zoned), reads_zones(reads)) == (True, False)
    assert (stacks_read(zoned), stacks_read(reads)) == ((), ("Zoned",))
