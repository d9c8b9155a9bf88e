"""Names and ARNs as IAM patterns."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from cdk_emr_eks.assembly import Stack, open_assembly
from cdk_emr_eks.assembly.arn_patterns import ArnPatterns, fill
from tests.unit.assembly.assemblies import resource, resources, stack_artifact, write_assembly

TEMPLATE: Any = resources(
    Named=resource("AWS::S3::Bucket", BucketName={"Fn::Sub": "logs-${AWS::AccountId}"}),
    Bucket=resource("AWS::S3::Bucket"),
    Layer=resource("AWS::Lambda::LayerVersion"),
    Role=resource("AWS::IAM::Role"),
    Logs=resource("AWS::Logs::LogGroup", Deep={"Name": "/emr"}),
)
LONG = "APlatformStackWithALongName"


def patterns(tmp_path: Path, **artifact: Any) -> ArnPatterns:
    folder = write_assembly(
        tmp_path, {LONG: TEMPLATE}, artifacts={LONG: stack_artifact(LONG, **artifact)}
    )
    return ArnPatterns(open_assembly(folder).stacks[0])


@pytest.mark.parametrize(
    ("value", "pattern"),
    [
        ("plain", "plain"),
        (None, "*"),
        ({"Ref": "AWS::Region"}, "eu-west-1"),
        ({"Ref": "AWS::Partition"}, "aws"),
        ({"Ref": "Parameter"}, "*"),
        ({"Ref": "Role"}, "*"),
        ({"Ref": "Named"}, "logs-111122223333"),
        ({"Fn::GetAtt": ["Role", "Arn"]}, "*"),
        (
            {"Fn::Sub": "arn:${AWS::Partition}:s3:::${Named}/${Role.Arn}"},
            "arn:aws:s3:::logs-111122223333/*",
        ),
        ({"Fn::Join": ["-", ["a", {"Ref": "Role"}]]}, "a-*"),
        ({"Fn::Select": [0, ["a"]]}, "*"),
    ],
)
def test_pattern(tmp_path: Path, value: object, pattern: str) -> None:
    assert patterns(tmp_path).pattern(value) == pattern


def test_names(tmp_path: Path) -> None:
    found = patterns(tmp_path)
    assert found.name("Named", "BucketName") == "logs-111122223333"
    assert found.name("Bucket", "BucketName") == "aplatformstackwithalongn*"
    assert found.name("Role", "RoleName") == "APlatformStackWithALongN*"
    assert found.name("Layer", "LayerName") == "Layer*"
    assert found.name("Logs", "Deep.Name") == "/emr"


def test_each_choice_of_an_if(tmp_path: Path) -> None:
    value = {"Fn::If": ["C", "a", {"Fn::If": ["D", {"Ref": "AWS::NoValue"}, "b"]}]}
    assert patterns(tmp_path).patterns(value) == ("a", "*", "b")


def test_unknown_environment(tmp_path: Path) -> None:
    found = patterns(tmp_path, environment="aws://unknown-account/unknown-region")
    assert found.fill("arn:{partition}:sqs:{region}:{account}:q") == "arn:aws:sqs:*:*:q"


def test_partitions() -> None:
    assert fill("arn:{partition}:s3:::b", "1", "cn-north-1") == "arn:aws-cn:s3:::b"
    assert fill("arn:{partition}:s3:::b", "1", "us-gov-west-1") == "arn:aws-us-gov:s3:::b"
    assert fill("a-{account}{region}-b", "*", "*") == "a-*-b"


def nested(tmp_path: Path, kind: str) -> Stack:
    url = "https://s3/assets/abc.json"
    products = [{"Info": {"LoadTemplateFromURL": url}}]
    properties: Any = {"TemplateURL": url, "ProvisioningArtifactParameters": products}
    folder = write_assembly(
        tmp_path,
        {LONG: resources(Nest=resource(kind, Parameters={"P": "given"}, **properties))},
        files={"N.nested.template.json": TEMPLATE},
        assets={"abc.json": "N.nested.template.json"},
    )
    return open_assembly(folder).stacks[1]


def test_nested_stacks_have_names_of_the_parent(tmp_path: Path) -> None:
    found = ArnPatterns(nested(tmp_path, "AWS::CloudFormation::Stack"))
    assert found.name("Role", "RoleName") == "APlatformStackWithALongN*"
    assert found.pattern({"Ref": "P"}) == "given"


def test_products_have_names_of_service_catalog(tmp_path: Path) -> None:
    found = ArnPatterns(nested(tmp_path, "AWS::ServiceCatalog::CloudFormationProduct"))
    assert found.name("Role", "RoleName") == "SC-*"
