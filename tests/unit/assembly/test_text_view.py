"""Values of a template as text for a person."""

from __future__ import annotations

from typing import Final

import pytest

from cdk_emr_eks.assembly.text_view import TextView

TEMPLATE: Final = {
    "Resources": {
        "Subnet": {
            "Type": "AWS::EC2::Subnet",
            "Properties": {"AvailabilityZone": {"Fn::Select": [1, {"Fn::GetAZs": ""}]}},
        }
    }
}


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, ""),
        ("plain", "plain"),
        (3, "3"),
        (["a", {"Ref": "Q"}], '["a", "${Q}"]'),
        ({"Ref": "Q"}, "${Q}"),
        ({"Ref": "AWS::Region"}, "${AWS::Region}"),
        ({"Fn::GetAtt": ["Q", "Arn"]}, "${Q.Arn}"),
        ({"Fn::GetAtt": "Q.Nested.Name"}, "${Q.Nested.Name}"),
        ({"Fn::GetAtt": ["Q", {"Ref": "Attribute"}]}, "${Q.${Attribute}}"),
        ({"Fn::GetAtt": ["Subnet", "AvailabilityZone"]}, "zone-2"),
        ({"Fn::GetAtt": ["Subnet", "VpcId"]}, "${Subnet.VpcId}"),
        ({"Fn::Join": ["-", ["a", {"Ref": "Q"}, 3]]}, "a-${Q}-3"),
        ({"Fn::Join": ["-", {"Ref": "List"}]}, '${Join ["-", "${List}"]}'),
        ({"Fn::Sub": "${Q}/${Q.Arn}"}, "${Q}/${Q.Arn}"),
        ({"Fn::Sub": ["${X}-${Q}", {"X": {"Fn::Join": ["", ["a", "b"]]}}]}, "ab-${Q}"),
        ({"Fn::Sub": "${Subnet.AvailabilityZone}"}, "zone-2"),
        ({"Fn::FindInMap": ["Amis", {"Ref": "AWS::Region"}, "arm"]}, "${Amis.arm}"),
        ({"Fn::Select": ["0", {"Fn::GetAZs": ""}]}, "zone-1"),
        ({"Fn::Select": [1, ["a", "b"]]}, "b"),
        ({"Fn::Select": [2, ["a", "b"]]}, '${Select [2, ["a", "b"]]}'),
        (
            {"Fn::Select": [1, {"Fn::Split": ["/", {"Ref": "Q"}]}]},
            '${Select [1, "${Split [\\"/\\", \\"${Q}\\"]}"]}',
        ),
        ({"Fn::If": ["C", "a", {"Ref": "Q"}]}, '${If ["C", "a", "${Q}"]}'),
        ({"Fn::ImportValue": "Platform:Key"}, "${ImportValue Platform:Key}"),
        ({"Fn::GetAZs": ""}, "${GetAZs }"),
        ({"Fn::Cidr": ["10.0.0.0/16", 3]}, '${Cidr ["10.0.0.0/16", 3]}'),
        (
            {"Fn::GetStackOutput": {"StackName": "P", "OutputName": "O"}},
            '${GetStackOutput {"StackName": "P", "OutputName": "O"}}',
        ),
        ({"Fn::Not": [{"Fn::Equals": ["a", "b"]}]}, '${Not ["${Equals [\\"a\\", \\"b\\"]}"]}'),
        ({"Fn::And": [{"Condition": "C"}, "b"]}, '${And ["${Condition [\\"C\\"]}", "b"]}'),
        ({"Fn::Transform": {"Name": "x"}}, '${Transform {"Name": "x"}}'),
    ],
)
def test_text(value: object, text: str) -> None:
    assert TextView(TEMPLATE).text(value) == text


def test_defect_b_select_with_a_function_as_index() -> None:
    value = {"Fn::Select": [{"Ref": "Index"}, ["a", "b"]]}
    assert TextView({}).text(value) == '${Select ["${Index}", ["a", "b"]]}'
    zone = {"Fn::Select": [{"Ref": "Index"}, {"Fn::GetAZs": ""}]}
    assert TextView({}).text(zone) == '${Select ["${Index}", "${GetAZs }"]}'


def test_defect_d_sub_unescapes_literal_text() -> None:
    assert TextView({}).text({"Fn::Sub": "${!Literal}-${Q}"}) == "${Literal}-${Q}"


def test_values_keep_their_shape() -> None:
    value = {"a": [{"Ref": "Q"}, 1], "b": {"Fn::Select": [0, [{"c": {"Ref": "R"}}]]}}
    assert TextView({}).value(value) == {"a": ["${Q}", 1], "b": {"c": "${R}"}}


def test_json_of_joined_text() -> None:
    view = TextView({})
    assert view.json({"Fn::Join": ["", ['{"a":"', {"Ref": "Q"}, '"}']]}) == {"a": "${Q}"}
    with pytest.raises(ValueError, match="Expecting"):
        view.json({"Fn::Join": ["", ['{"a":', {"Ref": "Q"}, "}"]]})
