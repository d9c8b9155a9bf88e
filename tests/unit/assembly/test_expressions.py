"""CloudFormation's intrinsic functions as a tree."""

from __future__ import annotations

import pytest

from cdk_emr_eks.assembly.expressions import (
    And,
    Base64,
    Cidr,
    Condition,
    Contains,
    Equals,
    Expression,
    FindInMap,
    GetAtt,
    GetAZs,
    GetStackOutput,
    If,
    ImportValue,
    Join,
    ListOf,
    Literal,
    MappingOf,
    Not,
    Or,
    Ref,
    Select,
    Split,
    Sub,
    Unknown,
    parse,
    parse_condition,
    walk,
)

A, B = Literal("a"), Literal("b")


@pytest.mark.parametrize(
    ("value", "tree"),
    [
        (None, Literal(None)),
        (3, Literal(3)),
        (["a", {"k": "b"}], ListOf((A, MappingOf({"k": B})))),
        ({"Ref": "Queue"}, Ref("Queue")),
        ({"Ref": "a", "Other": "b"}, MappingOf({"Ref": A, "Other": B})),
        ({"Fn::GetAtt": ["Queue", "Arn"]}, GetAtt("Queue", Literal("Arn"))),
        ({"Fn::GetAtt": "Nest.Outputs.Arn"}, GetAtt("Nest", Literal("Outputs.Arn"))),
        ({"Fn::GetAtt": ["Nest", "Outputs", "Arn"]}, GetAtt("Nest", Literal("Outputs.Arn"))),
        ({"Fn::GetAtt": ["Queue", {"Ref": "Name"}]}, GetAtt("Queue", Ref("Name"))),
        ({"Fn::Join": ["-", ["a", "b"]]}, Join(Literal("-"), ListOf((A, B)))),
        ({"Fn::Join": ["-", {"Ref": "List"}]}, Join(Literal("-"), Ref("List"))),
        ({"Fn::Select": ["0", ["a"]]}, Select(Literal("0"), ListOf((A,)))),
        (
            {"Fn::Select": [{"Ref": "Index"}, {"Fn::GetAZs": ""}]},
            Select(Ref("Index"), GetAZs(Literal(""))),
        ),
        ({"Fn::Split": ["/", {"Ref": "Path"}]}, Split(Literal("/"), Ref("Path"))),
        ({"Fn::If": ["Prod", "a", "b"]}, If("Prod", A, B)),
        ({"Fn::FindInMap": ["a", "b", "a"]}, FindInMap(A, B, A)),
        ({"Fn::FindInMap": ["a", "b", "a", {"DefaultValue": "b"}]}, FindInMap(A, B, A, B)),
        ({"Fn::ImportValue": {"Ref": "Name"}}, ImportValue(Ref("Name"))),
        ({"Fn::GetStackOutput": {"StackName": "a", "OutputName": "b"}}, GetStackOutput(A, B)),
        (
            {"Fn::GetStackOutput": {"StackName": "a", "OutputName": "b", "Region": "a"}},
            GetStackOutput(A, B, A),
        ),
        ({"Fn::Base64": "a"}, Base64(A)),
        ({"Fn::Cidr": ["a", "b"]}, Cidr(A, B)),
        ({"Fn::Cidr": ["a", "b", 8]}, Cidr(A, B, Literal(8))),
        ({"Fn::Equals": ["a", "b"]}, Equals(A, B)),
        ({"Fn::Contains": [["a"], "b"]}, Contains(ListOf((A,)), B)),
        ({"Fn::And": [{"Condition": "C"}, "a"]}, And((Condition("C"), A))),
        ({"Fn::Or": [{"Condition": "C"}, "a"]}, Or((Condition("C"), A))),
        ({"Fn::Not": [{"Condition": "C"}]}, Not(Condition("C"))),
    ],
)
def test_parse(value: object, tree: Expression) -> None:
    assert parse(value) == tree


def test_condition_is_a_function_only_in_conditions() -> None:
    assert parse({"Condition": "C"}) == MappingOf({"Condition": Literal("C")})
    assert parse_condition({"Condition": "C"}) == Condition("C")


@pytest.mark.parametrize(
    ("argument", "parts"),
    [
        ("plain", (Literal("plain"),)),
        ("", (Literal(""),)),
        ("${Queue}", (Ref("Queue"),)),
        (
            "${ Queue }-${Queue.Dead.Arn}",
            (Ref("Queue"), Literal("-"), GetAtt("Queue", Literal("Dead.Arn"))),
        ),
        ("a${!Queue}b${!Other}", (Literal("a${Queue}b${Other}"),)),
        (["${One}${Two}", {"One": {"Ref": "X"}}], (Ref("X"), Ref("Two"))),
    ],
)
def test_parts_of_sub(argument: object, parts: tuple[Expression, ...]) -> None:
    tree = parse({"Fn::Sub": argument})
    assert isinstance(tree, Sub)
    assert tree.parts == parts


@pytest.mark.parametrize(
    "argument", [None, 3, "text", [], ["a"], ["a", "b", "c", "d", "e"], {"a": "b"}, [["a"], {}]]
)
@pytest.mark.parametrize(
    "function",
    [
        "Ref",
        "Fn::GetAtt",
        "Fn::Join",
        "Fn::Sub",
        "Fn::Select",
        "Fn::Split",
        "Fn::If",
        "Fn::FindInMap",
        "Fn::GetAZs",
        "Fn::ImportValue",
        "Fn::GetStackOutput",
        "Fn::Base64",
        "Fn::Cidr",
        "Fn::And",
        "Fn::Or",
        "Fn::Not",
        "Fn::Equals",
        "Fn::Contains",
        "Fn::Transform",
    ],
)
def test_no_shape_of_an_argument_raises(function: str, argument: object) -> None:
    assert list(walk(parse({function: argument})))


def test_unknown_functions_keep_name_and_argument() -> None:
    tree = parse({"Fn::Transform": {"Name": {"Ref": "Macro"}}})
    assert tree == Unknown("Fn::Transform", MappingOf({"Name": Ref("Macro")}))


def test_wrong_shapes_say_what_the_function_takes() -> None:
    tree = parse({"Fn::If": ["Prod", "a"]})
    assert tree == Unknown(
        "Fn::If", ListOf((Literal("Prod"), A)), "takes a condition and two values"
    )


def test_walk_finds_names_at_any_depth() -> None:
    value = {"a": [{"Fn::Sub": ["${X}", {"X": {"Fn::If": ["C", {"Ref": "One"}, "b"]}}]}]}
    assert Ref("One") in walk(parse(value))
