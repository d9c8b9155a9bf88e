"""Ready-made permissions for the data of jobs and notebooks: S3, Glue, Lake Formation.

Each function returns statements for ``ExecutionRoleSpec.permissions`` or
``NotebookEndpoint.permissions``. ARNs contain CloudFormation's pseudo parameters
(``${AWS::Region}``), which the role replaces, so no stack is needed to write a value.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from cdk_emr_eks.checks import Check
from cdk_emr_eks.field_types import type_problems
from cdk_emr_eks.model.access.execution_role import IamPermission, iam_literal
from cdk_emr_eks.model.access.lake_formation import LAKE_FORMATION_PERMISSION
from cdk_emr_eks.tokens import is_arn

_S3: Final = "arn:${AWS::Partition}:s3:::"
_GLUE: Final = "arn:${AWS::Partition}:glue:${AWS::Region}:${AWS::AccountId}:"
_GLUE_NAME: Final = re.compile(r"[a-z0-9_-]{1,255}")

# IAM replaces it by the namespace of the pod that gets a role by EKS Pod Identity.
# Source: https://docs.aws.amazon.com/eks/latest/userguide/pod-id-abac.html
NAMESPACE: Final = "${aws:PrincipalTag/kubernetes-namespace}"

_READ: Final = (
    *("glue:GetDatabase", "glue:GetDatabases", "glue:GetTable", "glue:GetTables"),
    *("glue:GetPartition", "glue:GetPartitions", "glue:BatchGetPartition"),
    "glue:GetUserDefinedFunctions",
)
_WRITE: Final = (
    *("glue:CreateTable", "glue:UpdateTable", "glue:DeleteTable"),
    *("glue:CreatePartition", "glue:UpdatePartition", "glue:DeletePartition"),
    *("glue:BatchCreatePartition", "glue:BatchUpdatePartition", "glue:BatchDeletePartition"),
)


def s3_folder(
    bucket: str, folder: str, *, write: bool = False, kms_key_arn: str | None = None
) -> tuple[IamPermission, ...]:
    """Let jobs read, and optionally write, all objects below one folder of a bucket.

    Args:
        bucket: Name of the bucket; may be a token.
        folder: Its prefix, without slashes at the ends: ``sales/2026``.
        write: Whether jobs may also write and delete there. Default False.
        kms_key_arn: ARN of the key that encrypts the objects. None: S3's own key.

    Raises:
        ConfigError: If bucket or folder is empty or would be a pattern in IAM, or the key is not an
            ARN.
    """
    check = Check(f"S3 folder {folder!r} of bucket {bucket!r}")
    check.add(type_problems("bucket", str, bucket))
    check.add(type_problems("folder", str, folder))
    check.raise_if_any()
    rule = "must not be empty nor hold '*', '?' or '$', which IAM reads as patterns"
    check.require(bool(bucket) and iam_literal(bucket), "bucket", rule, bucket)
    check.require("/" not in bucket, "bucket", "must be the name of a bucket", bucket)
    check.require(bool(folder) and iam_literal(folder), "folder", rule, folder)
    fix = f"write {folder.strip('/')!r}" if folder.strip("/") else ""
    rule = "must have no slash at its ends"
    check.require(folder == folder.strip("/"), "folder", rule, folder, fix)
    holds = kms_key_arn is None or is_arn(kms_key_arn)
    check.require(holds, "kms_key_arn", "must be the ARN of a key", kms_key_arn)
    check.raise_if_any()
    return _folder(bucket, folder, write=write, kms_key_arn=kms_key_arn)


def s3_namespace_folder(
    bucket: str, *, root: str = "", write: bool = True, kms_key_arn: str | None = None
) -> tuple[IamPermission, ...]:
    """Let jobs use the folder with the name of their namespace: ``root/NAMESPACE``.

    IAM takes the name from the session tag of EKS Pod Identity, so a role that several tenants
    share gives each of them another folder. IRSA has no such tag and therefore gives no access.

    Args:
        bucket: Name of the bucket; may be a token.
        root: Folder that contains the namespaces' folders, without slashes at the ends. Empty: the
            bucket itself.
        write: Whether jobs may also write and delete there. Default True.
        kms_key_arn: ARN of the key that encrypts the objects. None: S3's own key. All tenants can
            decrypt with it: only the folder separates them.

    Raises:
        ConfigError: As ``s3_folder`` does.
    """
    # Called for its checks.
    s3_folder(bucket, root or "namespace", kms_key_arn=kms_key_arn)
    folder = f"{root}/{NAMESPACE}" if root else NAMESPACE
    return _folder(bucket, folder, write=write, kms_key_arn=kms_key_arn)


def _folder(
    bucket: str, folder: str, *, write: bool, kms_key_arn: str | None
) -> tuple[IamPermission, ...]:
    arn = _S3 + bucket
    objects = ["s3:GetObject"]
    if write:
        objects += ["s3:PutObject", "s3:DeleteObject"]
        # Large files are written in parts; the parts of a killed job must be aborted.
        objects += ["s3:AbortMultipartUpload", "s3:ListMultipartUploadParts"]
    return (
        IamPermission(
            actions=tuple(objects),
            resources=(f"{arn}/{folder}/*",),
            reason=f"All objects of the folder {folder}, and of no other",
        ),
        IamPermission(
            actions=("s3:ListBucket",),
            resources=(arn,),
            conditions={"StringLike": {"s3:prefix": [folder, f"{folder}/*"]}},
        ),
        *_key(kms_key_arn, write=write),
    )


def s3_user_folder(
    bucket: str, *, user: str, root: str = "", kms_key_arn: str | None = None
) -> tuple[IamPermission, ...]:
    """Let the notebooks of one user read and write the user's folder: ``root/user``.

    All users of an endpoint share its execution role, so give each such user a separate endpoint.

    Args:
        bucket: Name of the bucket; may be a token.
        user: Name of the folder, such as the user's name, without a slash.
        root: Folder that contains the users' folders. Empty: the bucket itself.
        kms_key_arn: ARN of the key that encrypts the objects. None: S3's own key.

    Raises:
        ConfigError: If a name is empty or a pattern in IAM, or ``user`` has a slash.
    """
    check = Check(f"S3 folder of user {user!r}")
    check.add(type_problems("user", str, user))
    check.raise_if_any()
    rule = "must be one step of a path, so that no user's folder holds another's"
    holds = bool(user) and "/" not in user and user not in (".", "..")
    check.require(holds, "user", rule, user)
    check.raise_if_any()
    folder = f"{root}/{user}" if root else user
    return s3_folder(bucket, folder, write=True, kms_key_arn=kms_key_arn)


def glue_access(
    database: str, *, tables: Sequence[str] = (), write: bool = False
) -> tuple[IamPermission, ...]:
    """Let jobs read, and optionally change, the metadata of tables of one Glue database.

    The data needs separate permissions: ``s3_folder``.

    Args:
        database: Name of the database.
        tables: Names of its tables. Empty: all tables, also future ones.
        write: Whether jobs may also create, change and drop the tables. Default False.

    Raises:
        ConfigError: If a name is not a name of the Glue Data Catalog.

    Source: https://docs.aws.amazon.com/glue/latest/dg/glue-specifying-resource-arns.html
    """
    _check_names(database, tables)
    all_tables = not tables
    table_arns = [f"{_GLUE}table/{database}/{table}" for table in tables or ("*",)]
    reason = f"All tables of the database {database}" if all_tables else ""
    functions = f"{_GLUE}userDefinedFunction/{database}/*"
    look = IamPermission(
        actions=_READ,
        resources=(f"{_GLUE}catalog", f"{_GLUE}database/{database}", *table_arns, functions),
        reason=reason or f"Spark looks for functions of the database {database} by any name",
    )
    # Spark asks for the database "default" when a session starts, and fails without an answer.
    start = IamPermission(
        actions=("glue:GetDatabase",),
        resources=(f"{_GLUE}catalog", f"{_GLUE}database/default"),
    )
    change = IamPermission(
        actions=_WRITE,
        resources=(f"{_GLUE}catalog", f"{_GLUE}database/{database}", *table_arns),
        reason=reason,
    )
    return (look, start, change) if write else (look, start)


def lake_formation_access(
    database: str, *, tables: Sequence[str] = ()
) -> tuple[IamPermission, ...]:
    """Let jobs read tables of a database, as far as Lake Formation grants it to the role.

    It gives no access to S3: Lake Formation returns credentials for the data. Grant the role
    ``SELECT`` in Lake Formation. It works only for jobs of a tenant with ``lake_formation``.

    Args:
        database: Name of the database.
        tables: Names of its tables. Empty: all of them.

    Raises:
        ConfigError: If a name is not a name of the Glue Data Catalog.

    Source: https://docs.aws.amazon.com/emr/latest/EMR-on-EKS-DevelopmentGuide/security_iam_fgac-lf-enable.html
    """
    return (*glue_access(database, tables=tables), LAKE_FORMATION_PERMISSION)


def _check_names(database: str, tables: Sequence[str]) -> None:
    check = Check(f"Glue database {database!r}")
    check.add(type_problems("database", str, database))
    check.add(type_problems("tables", Sequence[str], tables))
    check.raise_if_any()
    rule = "must be a name of the catalog (a-z, 0-9, '_', '-', at most 255)"
    for field, names in (("database", (database,)), ("tables", tuple(tables))):
        for name in names:
            check.require(bool(_GLUE_NAME.fullmatch(name)), field, rule, name)
    check.raise_if_any()


def _key(arn: str | None, *, write: bool) -> tuple[IamPermission, ...]:
    if arn is None:
        return ()
    actions = ("kms:Decrypt", "kms:GenerateDataKey") if write else ("kms:Decrypt",)
    return (IamPermission(actions=actions, resources=(arn,)),)
