"""Intrinsic functions with the values of a deployment."""

from __future__ import annotations

from typing import Any, Final

import pytest
from moto.cloudformation.parsing import ResourceMap, clean_json

from cdk_emr_eks.assembly.evaluation import (
    Resolver,
    ResolverContext,
    ResourceValues,
    UnresolvableError,
)

TEMPLATE: Final[dict[str, Any]] = {
    "Mappings": {"Sizes": {"small": {"cores": "4"}}},
    "Conditions": {
        "InAws": {"Fn::Equals": [{"Ref": "AWS::Partition"}, "aws"]},
        "InChina": {"Fn::Not": [{"Condition": "InAws"}]},
        "Either": {"Fn::Or": [{"Condition": "InAws"}, {"Condition": "InChina"}]},
        "Both": {"Fn::And": [{"Condition": "InAws"}, {"Condition": "InChina"}]},
    },
}
VALUES: Final = {
    "Queue": ResourceValues(ref="https://queue", attributes={"Arn": "arn:q", "Nested.Name": "n"}),
    "Layer": ResourceValues(ref="layer-1", attributes={}, invented=True),
}


def resolver(**parameters: object) -> Resolver:
    context = ResolverContext(
        pseudo={"AWS::Region": "eu-west-1", "AWS::Partition": "aws", "AWS::AccountId": "1"},
        zones=("eu-west-1a", "eu-west-1b", "eu-west-1c"),
        parameters=parameters,
        exports={"Platform:Key": "arn:key"},
        outputs={("Platform", "Queue"): "arn:queue"},
    )
    return Resolver(TEMPLATE, context, VALUES)


@pytest.mark.parametrize(
    ("value", "resolved"),
    [
        ({"Ref": "Queue"}, "https://queue"),
        ({"Ref": "AWS::Region"}, "eu-west-1"),
        ({"Ref": "Size"}, "large"),
        ({"Fn::GetAtt": ["Queue", "Arn"]}, "arn:q"),
        ({"Fn::GetAtt": "Queue.Nested.Name"}, "n"),
        ({"Fn::GetAtt": ["Layer", "Arn"]}, "layer-1/Arn"),
        ({"Fn::Join": ["-", ["a", {"Ref": "Size"}, 3, True]]}, "a-large-3-true"),
        ({"Fn::Sub": "${Size}/${Queue.Arn}/${!Size}/${AWS::AccountId}"}, "large/arn:q/${Size}/1"),
        ({"Fn::Sub": ["${Mine}-${Size}", {"Mine": {"Ref": "Queue"}}]}, "https://queue-large"),
        ({"Fn::Select": ["1", {"Fn::GetAZs": ""}]}, "eu-west-1b"),
        ({"Fn::Select": [2, {"Fn::Split": ["/", "a/b/c"]}]}, "c"),
        ({"Fn::FindInMap": ["Sizes", "small", "cores"]}, "4"),
        ({"Fn::If": ["InAws", "yes", "no"]}, "yes"),
        ({"Fn::If": ["InChina", "yes", "no"]}, "no"),
        ({"Fn::If": ["Either", "yes", "no"]}, "yes"),
        ({"Fn::If": ["Both", "yes", "no"]}, "no"),
        ({"Fn::ImportValue": {"Fn::Sub": "Platform:Key"}}, "arn:key"),
        (
            {"Fn::GetStackOutput": {"StackName": "Platform", "OutputName": "Queue"}},
            "arn:queue",
        ),
        ({"Fn::Select": [{"Ref": "Index"}, ["a", "b"]]}, "b"),
        ({"Fn::FindInMap": ["Sizes", "tiny", "cores", {"DefaultValue": "1"}]}, "1"),
        ({"Fn::Base64": "text"}, "dGV4dA=="),
        ({"Fn::Cidr": ["10.0.0.0/16", "3", "8"]}, ["10.0.0.0/24", "10.0.1.0/24", "10.0.2.0/24"]),
        ({"kept": 1, "gone": {"Ref": "AWS::NoValue"}}, {"kept": 1}),
        (["a", {"Fn::If": ["InChina", "b", {"Ref": "AWS::NoValue"}]}], ["a"]),
        ({"Ref": "a", "other": {"Ref": "Size"}}, {"Ref": "a", "other": "large"}),
    ],
)
def test_value(value: object, resolved: object) -> None:
    assert resolver(Size="large", Index="1").value(value) == resolved


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ({"Ref": "Absent"}, "'Absent' is referred to"),
        ({"Fn::GetAtt": ["Queue", "Colour"]}, "attribute Colour of 'Queue' is not simulated"),
        ({"Fn::GetAtt": ["Queue"]}, "takes a resource and an attribute"),
        ({"Fn::Transform": {"Name": "x"}}, "Fn::Transform is not simulated"),
        ({"Fn::Select": [3, {"Fn::GetAZs": ""}]}, "no item 3"),
        ({"Fn::GetAZs": "us-east-1"}, "zones of us-east-1"),
        ({"Fn::FindInMap": ["Sizes", "tiny", "cores"]}, "Sizes / tiny / cores"),
        ({"Fn::ImportValue": "Platform:Other"}, "exports 'Platform:Other'"),
        ({"Fn::If": ["Unknown", 1, 2]}, "no condition 'Unknown'"),
        ({"Fn::If": ["InAws", 1]}, "a condition and two values"),
        ({"Fn::Join": ["-"]}, "Fn::Join takes two arguments"),
        ({"Fn::Join": ["-", "text"]}, "a list is needed"),
        ({"Fn::Join": ["-", [["a"]]]}, "text is needed"),
        ({"Fn::Cidr": ["10.0.0.0/24", 3, 8]}, "no 3 blocks of /24"),
        ({"Ref": "AWS::NoValue"}, "AWS::NoValue"),
        ({"Fn::Select": ["first", ["a"]]}, "a whole number is needed, got 'first'"),
        (
            {"Fn::GetStackOutput": {"StackName": "Platform", "OutputName": "Key"}},
            "no stack 'Platform' deployed before has the output 'Key'",
        ),
    ],
)
def test_unresolvable_values_raise(value: object, says: str) -> None:
    with pytest.raises(UnresolvableError, match=says):
        resolver().value(value)


@pytest.mark.parametrize(
    "value",
    [
        {"Fn::Join": ["/", ["a", {"Fn::Select": [1, ["b", "c"]]}, {"Ref": "AWS::Region"}]]},
        {"Fn::Sub": "${AWS::Region}-${AWS::Partition}"},
        {"Fn::Sub": ["${One} ${AWS::Region}", {"One": "1"}]},
        {"Fn::Split": [",", "a,b"]},
        {"Fn::FindInMap": ["Sizes", "small", "cores"]},
        {"Fn::Base64": "a: 1"},
    ],
)
def test_pure_functions_agree_with_motos(value: dict[str, Any]) -> None:
    theirs = ResourceMap(
        "stack", "Stack", {}, {}, "eu-west-1", "1", {**TEMPLATE, "Resources": {}}, {}
    )
    theirs.load_mapping()
    assert resolver().value(value) == clean_json(value, theirs)


def test_rules() -> None:
    bootstrapped = {"Fn::Not": [{"Fn::Contains": [["1", "2"], {"Ref": "Version"}]}]}
    assert resolver(Version="6").holds(bootstrapped)
    assert not resolver(Version="2").holds(bootstrapped)
    with pytest.raises(UnresolvableError, match="a condition is needed"):
        resolver().holds("perhaps")
