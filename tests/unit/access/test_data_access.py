"""Ready-made permissions name exactly the data that is requested."""

from __future__ import annotations

from typing import Any

import pytest

from cdk_emr_eks.errors import ConfigError
from cdk_emr_eks.model.access.data_access import (
    glue_access,
    lake_formation_access,
    s3_folder,
    s3_user_folder,
)
from cdk_emr_eks.model.access.execution_role import IamPermission
from tests.refusals import Call, refuses

GLUE = "arn:${AWS::Partition}:glue:${AWS::Region}:${AWS::AccountId}:"


def granted(permissions: tuple[IamPermission, ...], action: str) -> set[str]:
    """The resources on which an action is granted."""
    return {r for each in permissions if action in each.actions for r in each.resources}


def test_a_folder_is_read_only_unless_asked() -> None:
    read = s3_folder("lake", "sales/2026")
    assert granted(read, "s3:GetObject") == {"arn:${AWS::Partition}:s3:::lake/sales/2026/*"}
    assert granted(read, "s3:PutObject") == set()
    write = s3_folder("lake", "sales/2026", write=True)
    for action in ("s3:PutObject", "s3:DeleteObject", "s3:AbortMultipartUpload"):
        assert granted(write, action) == granted(read, "s3:GetObject")


def test_only_the_folder_is_listed() -> None:
    (listing,) = [each for each in s3_folder("lake", "sales") if "s3:ListBucket" in each.actions]
    assert listing.resources == ("arn:${AWS::Partition}:s3:::lake",)
    # Not "sales*", which would include the folder "sales-secret".
    assert listing.statement()["Condition"] == {
        "StringLike": {"s3:prefix": ["sales", "sales/*"]},
    }


def test_a_key_may_encrypt_only_where_jobs_write() -> None:
    key = "arn:aws:kms:eu-west-1:111122223333:key/1"
    assert granted(s3_folder("lake", "a", kms_key_arn=key), "kms:GenerateDataKey") == set()
    assert granted(s3_folder("lake", "a", kms_key_arn=key), "kms:Decrypt") == {key}
    both = s3_folder("lake", "a", write=True, kms_key_arn=key)
    assert granted(both, "kms:GenerateDataKey") == {key}


def test_each_user_has_a_separate_folder() -> None:
    ann = granted(s3_user_folder("lake", user="ann", root="home"), "s3:PutObject")
    anna = granted(s3_user_folder("lake", user="anna", root="home"), "s3:PutObject")
    assert ann == {"arn:${AWS::Partition}:s3:::lake/home/ann/*"}
    assert anna == {"arn:${AWS::Partition}:s3:::lake/home/anna/*"}
    assert granted(s3_user_folder("lake", user="ann"), "s3:GetObject") == {
        "arn:${AWS::Partition}:s3:::lake/ann/*"
    }


def test_glue_names_the_tables() -> None:
    read = glue_access("sales", tables=["orders", "items"])
    assert granted(read, "glue:GetTable") == {
        f"{GLUE}catalog",
        f"{GLUE}database/sales",
        f"{GLUE}table/sales/orders",
        f"{GLUE}table/sales/items",
        f"{GLUE}userDefinedFunction/sales/*",
    }
    assert granted(read, "glue:UpdateTable") == set()
    write = glue_access("sales", tables=["orders"], write=True)
    assert granted(write, "glue:UpdateTable") == {
        f"{GLUE}catalog",
        f"{GLUE}database/sales",
        f"{GLUE}table/sales/orders",
    }
    assert f"{GLUE}table/sales/*" in granted(glue_access("sales"), "glue:GetTable")


def test_a_session_can_read_the_default_database_but_no_table_in_it() -> None:
    read = glue_access("sales")
    assert f"{GLUE}database/default" in granted(read, "glue:GetDatabase")
    assert not any("default" in each for each in granted(read, "glue:GetTable"))


def test_lake_formation_gives_no_right_to_s3() -> None:
    found = lake_formation_access("sales", tables=["orders"])
    assert granted(found, "lakeformation:GetDataAccess") == {"*"}
    assert granted(found, "emr-containers:CreateCertificate") == {"*"}
    assert f"{GLUE}table/sales/orders" in granted(found, "glue:GetTable")
    assert not any(a.startswith("s3:") for each in found for a in each.actions)


def test_every_wildcard_has_its_reason() -> None:
    for each in (
        *s3_folder("lake", "a", write=True),
        *s3_user_folder("lake", user="ann"),
        *glue_access("sales", write=True),
        *glue_access("sales", tables=["t"], write=True),
        *lake_formation_access("sales"),
    ):
        if any("*" in resource for resource in each.resources):
            assert each.reason


INVALID: list[tuple[Call, str, str]] = [
    (lambda: s3_folder("", "a"), "bucket", "must not be empty"),
    (lambda: s3_folder("lake", ""), "folder", "must not be empty"),
    (lambda: s3_folder("lake", "a*"), "folder", "IAM reads as patterns"),
    (lambda: s3_folder("*", "a"), "bucket", "IAM reads as patterns"),
    (lambda: s3_folder("lake", "${aws:username}"), "folder", "IAM reads as patterns"),
    (lambda: s3_folder("lake/sales", "a"), "bucket", "must be the name of a bucket"),
    (lambda: s3_folder("lake", "/a/"), "folder", "must have no slash at its ends"),
    (lambda: s3_folder("lake", "a", kms_key_arn="alias/x"), "kms_key_arn", "must be the ARN"),
    (lambda: s3_user_folder("lake", user=""), "user", "must be one step of a path"),
    (lambda: s3_user_folder("lake", user="ann/x"), "user", "must be one step of a path"),
    (lambda: s3_user_folder("lake", user=".."), "user", "must be one step of a path"),
    (lambda: glue_access("Sales"), "database", "must be a name of the catalog"),
    (lambda: glue_access("sales", tables=["*"]), "tables", "must be a name of the catalog"),
    (lambda: lake_formation_access("a/b"), "database", "must be a name of the catalog"),
]


@pytest.mark.parametrize(("call", "field", "words"), INVALID)
def test_invalid_values_are_refused(call: Call, field: str, words: str) -> None:
    refuses(call, field, words)


def test_types_are_checked() -> None:
    nothing: Any = None
    text: Any = "orders"
    with pytest.raises(ConfigError, match="bucket must be text"):
        s3_folder(nothing, "a")
    with pytest.raises(ConfigError, match="user must be text"):
        s3_user_folder("lake", user=nothing)
    with pytest.raises(ConfigError, match="tables must be a list or tuple of text"):
        glue_access("sales", tables=text)
