"""Cloud assemblies read from files."""

from __future__ import annotations

from pathlib import Path

import pytest

from cdk_emr_eks.assembly import Assembly, AssemblyError, Environment, StackKind, open_assembly
from cdk_emr_eks.assembly.reader import missing_lookups
from tests.unit.assembly.assemblies import resource, resources, stack_artifact, write_assembly

TOPIC = resource("AWS::SNS::Topic")
URL = {"Fn::Join": ["", ["https://s3.", {"Ref": "AWS::Region"}, "/assets/abc.json"]]}
PRODUCT_URL = {"Fn::Sub": "https://s3.${AWS::Region}.amazonaws.com/assets/def.json"}


def names(assembly: Assembly) -> list[str]:
    return [stack.name for stack in assembly.stacks]


def test_stacks_and_their_environment(tmp_path: Path) -> None:
    unknown = stack_artifact(
        "Two", environment="aws://unknown-account/unknown-region", dependencies=["One"]
    )
    assembly = open_assembly(
        write_assembly(
            tmp_path,
            {"One": resources(Topic=TOPIC), "Two": {"Outputs": {"O": {"Value": "v"}}}},
            artifacts={"Two": unknown},
        )
    )
    one, two = assembly.stacks
    assert one.types() == ["AWS::SNS::Topic"]
    assert str(one.environment) == "aws://111122223333/eu-west-1"
    assert two.environment == Environment()
    assert str(two.environment) == "aws://unknown-account/unknown-region"
    assert two.outputs() == {"O": "v"}
    assert two.dependencies == ("One",)
    assert assembly.stack("Two") is two
    assert assembly.stack("Three") is None


def test_stages(tmp_path: Path) -> None:
    inner = stack_artifact("S")
    inner |= {"displayName": "Dev/S"}
    inner["properties"] |= {"stackName": "Dev-S"}
    write_assembly(tmp_path / "assembly-Dev", {"S": resources(Topic=TOPIC)}, artifacts={"S": inner})
    stage = {
        "type": "cdk:cloud-assembly",
        "properties": {"directoryName": "assembly-Dev", "displayName": "Dev"},
    }
    assembly = open_assembly(
        write_assembly(tmp_path, {"Top": resources(Topic=TOPIC)}, artifacts={"Dev": stage})
    )
    assert [(each.name, each.stack_name, each.stage) for each in assembly.stacks] == [
        ("Top", "Top", ""),
        ("Dev/S", "Dev-S", "Dev"),
    ]


def nested(tmp_path: Path, *, with_metadata: bool) -> Assembly:
    stack = resource(
        "AWS::CloudFormation::Stack",
        TemplateURL=URL,
        Parameters={"Given": {"Fn::GetAtt": ["Topic", "TopicName"]}},
    )
    if with_metadata:
        stack["Metadata"] = {"aws:asset:path": "RootNest.nested.template.json"}
    inner = {
        "Parameters": {"Given": {"Type": "String"}},
        "Resources": {"Queue": resource("AWS::SQS::Queue", QueueName={"Ref": "Given"})},
        "Outputs": {"Arn": {"Value": {"Fn::GetAtt": ["Queue", "Arn"]}}},
    }
    return open_assembly(
        write_assembly(
            tmp_path,
            {
                "Root": {
                    "Resources": {"Topic": TOPIC, "Nest": stack},
                    "Outputs": {"Arn": {"Value": {"Fn::GetAtt": ["Nest", "Outputs.Arn"]}}},
                }
            },
            files={"RootNest.nested.template.json": inner},
            assets={"abc.json": "RootNest.nested.template.json"},
        )
    )


@pytest.mark.parametrize("with_metadata", [True, False])
def test_nested_stacks_are_found_by_metadata_or_asset(tmp_path: Path, with_metadata: bool) -> None:
    root, inner = nested(tmp_path, with_metadata=with_metadata).stacks
    assert inner.name == "Root / RootNest"
    assert inner.kind is StackKind.NESTED
    assert inner.parent is not None
    assert (inner.parent.stack, inner.parent.logical_id) == (root, "Nest")
    assert inner.root() is root
    assert root.nested == {"Nest": inner}
    assert (inner.environment, inner.stack_name) == (root.environment, "")


def test_names_are_followed_into_parent_and_nested_stack(tmp_path: Path) -> None:
    assembly = nested(tmp_path, with_metadata=True)
    root, inner = assembly.stacks
    assert inner.text({"Ref": "Given"}) == "${Topic.TopicName}"
    assert root.text({"Fn::GetAtt": ["Nest", "Outputs.Arn"]}) == "${Queue.Arn}"
    targets = assembly.targets
    assert [t.key for t in targets(inner, {"Ref": "Given"})] == [("Root", "Topic")]
    assert [t.key for t in targets(root, root.outputs())] == [("Root / RootNest", "Queue")]


def test_products_of_service_catalog(tmp_path: Path) -> None:
    versions = [
        {"Info": {"LoadTemplateFromURL": PRODUCT_URL}},
        {"Info": {"ImportFromPhysicalId": 1}},
    ]
    product = resource(
        "AWS::ServiceCatalog::CloudFormationProduct", ProvisioningArtifactParameters=versions
    )
    assembly = open_assembly(
        write_assembly(
            tmp_path,
            {"Root": resources(Product=product)},
            files={"RootTenant.product.template.json": resources(Topic=TOPIC)},
            assets={"def.json": "RootTenant.product.template.json"},
        )
    )
    assert names(assembly) == ["Root", "Root / RootTenant"]
    assert assembly.stacks[1].kind is StackKind.PRODUCT


def test_nested_stacks_of_one_template_have_different_names(tmp_path: Path) -> None:
    stack = resource("AWS::CloudFormation::Stack", TemplateURL=URL)
    assembly = open_assembly(
        write_assembly(
            tmp_path,
            {"Root": resources(One=stack, Two=stack)},
            files={"N.nested.template.json": resources(Topic=TOPIC)},
            assets={"abc.json": "N.nested.template.json"},
        )
    )
    assert names(assembly) == ["Root", "Root / N", "Root / N Two"]


def test_templates_outside_of_the_assembly_are_left_out(tmp_path: Path) -> None:
    stack = resource("AWS::CloudFormation::Stack", TemplateURL="https://s3/templates/vpc.json")
    assembly = open_assembly(write_assembly(tmp_path, {"Root": resources(Nest=stack)}))
    assert names(assembly) == ["Root"]
    assert [message.text for message in assembly.applied.unread] == [
        "the template of Nest is not JSON of the assembly: it is left out"
    ]


def test_missing_lookups_of_all_stages_once(tmp_path: Path) -> None:
    lookup = {
        "key": "vpc:1",
        "provider": "vpc-provider",
        "props": {"account": "1111", "region": "eu-west-1"},
    }
    write_assembly(tmp_path / "assembly-Dev", {"S": {}}, missing=[lookup])
    stage = {"type": "cdk:cloud-assembly", "properties": {"directoryName": "assembly-Dev"}}
    other = {**lookup, "key": "ami:2", "provider": "ami"}
    assembly = open_assembly(
        write_assembly(tmp_path, {"Top": {}}, artifacts={"Dev": stage}, missing=[lookup, other])
    )
    assert [(each.key, each.provider) for each in assembly.missing] == [
        ("vpc:1", "vpc-provider"),
        ("ami:2", "ami"),
    ]
    assert str(assembly.missing[0]) == "vpc-provider in 1111/eu-west-1 (vpc:1)"


@pytest.mark.parametrize("used", [True, False])
def test_zones_are_missing_only_if_a_template_has_placeholders(tmp_path: Path, used: bool) -> None:
    lookup = {"key": "zones", "provider": "availability-zones", "props": {}}
    zone = "dummy1a" if used else "eu-west-1a"
    subnet = resource("AWS::EC2::Subnet", AvailabilityZone=zone)
    folder = write_assembly(tmp_path, {"Top": resources(Subnet=subnet)}, missing=[lookup])
    assert len(open_assembly(folder).missing) == used
    assert missing_lookups(folder) == open_assembly(folder).missing


def test_messages_of_metadata(tmp_path: Path) -> None:
    artifact = stack_artifact("One", additionalMetadataFile="One.metadata.json")
    artifact["metadata"] = {"/One": [{"type": "aws:cdk:error", "data": "broken"}]}
    metadata = {"/One/Two": [{"type": "aws:cdk:warning", "data": "old"}, {"type": "aws:cdk:path"}]}
    assembly = open_assembly(
        write_assembly(
            tmp_path,
            {"One": {}},
            files={"One.metadata.json": metadata},
            artifacts={"One": artifact},
        )
    )
    assert [(m.level, m.where, m.text) for m in assembly.stacks[0].messages] == [
        ("error", "One", "broken"),
        ("warning", "One/Two", "old"),
    ]


def test_folders_that_are_no_assembly(tmp_path: Path) -> None:
    with pytest.raises(AssemblyError, match="There is no folder"):
        open_assembly(tmp_path / "absent")
    with pytest.raises(AssemblyError, match="is not a cloud assembly"):
        open_assembly(tmp_path)
    with pytest.raises(AssemblyError, match="has no stack"):
        open_assembly(write_assembly(tmp_path / "empty", {}))
    broken = write_assembly(tmp_path / "broken", {"One": {}})
    (broken / "One.template.json").write_text("{")
    with pytest.raises(AssemblyError, match="is not JSON"):
        open_assembly(broken)
    (broken / "One.template.json").unlink()
    with pytest.raises(AssemblyError, match="lacks the file"):
        open_assembly(broken)
