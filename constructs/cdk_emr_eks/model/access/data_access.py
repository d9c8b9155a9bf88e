"""Ready permissions for the data of jobs and notebooks: S3 folders, Glue tables, Lake Formation.

Each function returns statements for ``ExecutionRoleSpec.permissions`` or
``NotebookEndpoint.permissions``. ARNs hold CloudFormation's pseudo parameters (``${AWS::Region}``),
which the role that gets them fills in, so that a value needs no stack to be written.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from cdk_emr_eks.errors import Problems
from cdk_emr_eks.field_types import type_problems
from cdk_emr_eks.model.access.execution_role import IamPermission, iam_literal
from cdk_emr_eks.tokens import is_arn

_S3: Final = "arn:${AWS::Partition}:s3:::"
_GLUE: Final = "arn:${AWS::Partition}:glue:${AWS::Region}:${AWS::AccountId}:"
_GLUE_NAME: Final = re.compile(r"[a-z0-9_-]{1,255}")
NAMESPACE: Final = "${aws:PrincipalTag/kubernetes-namespace}"
"""What IAM fills in with the namespace of the pod that has a role by EKS Pod Identity.

Source: https://docs.aws.amazon.com/eks/latest/userguide/pod-id-abac.html
"""

_LOOK: Final = (
    *("glue:GetDatabase", "glue:GetDatabases", "glue:GetTable", "glue:GetTables"),
    *("glue:GetPartition", "glue:GetPartitions", "glue:BatchGetPartition"),
    "glue:GetUserDefinedFunctions",
)
_CHANGE: Final = (
    *("glue:CreateTable", "glue:UpdateTable", "glue:DeleteTable"),
    *("glue:CreatePartition", "glue:UpdatePartition", "glue:DeletePartition"),
    *("glue:BatchCreatePartition", "glue:BatchUpdatePartition", "glue:BatchDeletePartition"),
)


def s3_folder(
    bucket: str, folder: str, *, write: bool = False, kms_key_arn: str | None = None
) -> tuple[IamPermission, ...]:
    """Let jobs read, and if asked write, all objects below one folder of a bucket.

    Args:
        bucket: Name of the bucket; may be a token.
        folder: Its prefix, without slashes at the ends: ``sales/2026``.
        write: Whether jobs may also write and delete there. Off by default.
        kms_key_arn: ARN of the key that encrypts the objects. None: S3's own key.

    Raises:
        ConfigError: If bucket or folder is empty or would be a pattern in IAM, or the key is not
            told by its ARN.
    """
    where = f"S3 folder {folder!r} of bucket {bucket!r}"
    problems = Problems(where)
    problems.extend(type_problems("bucket", str, bucket))
    problems.extend(type_problems("folder", str, folder))
    problems.raise_if_any()
    rule = "must not be empty nor hold '*', '?' or '$', which IAM reads as patterns"
    problems.require(bool(bucket) and iam_literal(bucket), "bucket", rule, bucket)
    problems.require("/" not in bucket, "bucket", "must be the name of a bucket", bucket)
    problems.require(bool(folder) and iam_literal(folder), "folder", rule, folder)
    fix = f"write {folder.strip('/')!r}" if folder.strip("/") else ""
    rule = "must have no slash at its ends"
    problems.require(folder == folder.strip("/"), "folder", rule, folder, fix)
    holds = kms_key_arn is None or is_arn(kms_key_arn)
    problems.require(holds, "kms_key_arn", "must be the ARN of a key", kms_key_arn)
    problems.raise_if_any()
    return _folder(bucket, folder, write=write, kms_key_arn=kms_key_arn)


def s3_namespace_folder(
    bucket: str, *, root: str = "", write: bool = True, kms_key_arn: str | None = None
) -> tuple[IamPermission, ...]:
    """Let jobs use the folder that has the name of their namespace: ``root/NAMESPACE``.

    IAM fills the name in from the session tag of EKS Pod Identity, so the same words are another
    folder for each tenant that a role is shared by. With IRSA there is no such tag, and no right.

    Args:
        bucket: Name of the bucket; may be a token.
        root: Folder that has the namespaces' folders, without slashes at the ends. Empty: the
            bucket itself.
        write: Whether jobs may also write and delete there. On by default: the folder is theirs.
        kms_key_arn: ARN of the key that encrypts the objects. None: S3's own key. Who has the key
            and another tenant's object could read it: the folder is what keeps tenants apart.

    Raises:
        ConfigError: As ``s3_folder`` does.
    """
    # Checks the names in the words of s3_folder.
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
        # Large files are written in parts; what a killed job left is to be cleaned up.
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
    """Let the notebooks of one user read and write the user's own folder: ``root/user``.

    All users of an endpoint share its execution role, so give each such user an own endpoint.

    Args:
        bucket: Name of the bucket; may be a token.
        user: Name of the folder, such as the user's name; one step of a path.
        root: Folder that has the users' folders. Empty: the bucket itself.
        kms_key_arn: ARN of the key that encrypts the objects. None: S3's own key.

    Raises:
        ConfigError: If a name is empty or a pattern in IAM, or ``user`` has a slash.
    """
    problems = Problems(f"S3 folder of user {user!r}")
    problems.extend(type_problems("user", str, user))
    problems.raise_if_any()
    rule = "must be one step of a path, so that no user's folder holds another's"
    holds = bool(user) and "/" not in user and user not in (".", "..")
    problems.require(holds, "user", rule, user)
    problems.raise_if_any()
    folder = f"{root}/{user}" if root else user
    return s3_folder(bucket, folder, write=True, kms_key_arn=kms_key_arn)


def glue_access(
    database: str, *, tables: Sequence[str] = (), write: bool = False
) -> tuple[IamPermission, ...]:
    """Let jobs see, and if asked change, tables of one database of the Glue Data Catalog.

    The data needs rights of its own: ``s3_folder``.

    Args:
        database: Name of the database.
        tables: Names of its tables. Empty: all of them, also those to come.
        write: Whether jobs may also create, change and drop the tables. Off by default.

    Raises:
        ConfigError: If a name is none of the catalog's.

    Source: https://docs.aws.amazon.com/glue/latest/dg/glue-specifying-resource-arns.html
    """
    _check_names(database, tables)
    all_tables = not tables
    chosen = [f"{_GLUE}table/{database}/{table}" for table in tables or ("*",)]
    reason = f"All tables of the database {database}" if all_tables else ""
    functions = f"{_GLUE}userDefinedFunction/{database}/*"
    look = IamPermission(
        actions=_LOOK,
        resources=(f"{_GLUE}catalog", f"{_GLUE}database/{database}", *chosen, functions),
        reason=reason or f"Spark looks for functions of the database {database} by any name",
    )
    # Spark asks for the database "default" when a session starts, and fails without an answer.
    start = IamPermission(
        actions=("glue:GetDatabase",),
        resources=(f"{_GLUE}catalog", f"{_GLUE}database/default"),
    )
    change = IamPermission(
        actions=_CHANGE,
        resources=(f"{_GLUE}catalog", f"{_GLUE}database/{database}", *chosen),
        reason=reason,
    )
    return (look, start, change) if write else (look, start)


def lake_formation_access(
    database: str, *, tables: Sequence[str] = ()
) -> tuple[IamPermission, ...]:
    """Let jobs read tables of a database as far as Lake Formation lets the role.

    No right to S3 goes with it: Lake Formation hands out credentials for the data itself. Grant
    the role ``SELECT`` there. It works for jobs of a tenant with ``lake_formation`` only.

    Args:
        database: Name of the database.
        tables: Names of its tables. Empty: all of them.

    Raises:
        ConfigError: If a name is none of the catalog's.

    Source: https://docs.aws.amazon.com/emr/latest/EMR-on-EKS-DevelopmentGuide/security_iam_fgac-lf-enable.html
    """
    # Neither action takes a resource: Lake Formation decides by its own grants, and EMR signs the
    # certificates with which the parts of one job talk to each other.
    reason = "The action takes no resource; Lake Formation's own grants decide"
    actions = ("lakeformation:GetDataAccess", "emr-containers:CreateCertificate")
    service = IamPermission(actions=actions, resources=("*",), reason=reason)
    return (*glue_access(database, tables=tables), service)


def _check_names(database: str, tables: Sequence[str]) -> None:
    problems = Problems(f"Glue database {database!r}")
    problems.extend(type_problems("database", str, database))
    problems.extend(type_problems("tables", Sequence[str], tables))
    problems.raise_if_any()
    rule = "must be a name of the catalog (a-z, 0-9, '_', '-', at most 255)"
    for field, names in (("database", (database,)), ("tables", tuple(tables))):
        for name in names:
            problems.require(bool(_GLUE_NAME.fullmatch(name)), field, rule, name)
    problems.raise_if_any()


def _key(arn: str | None, *, write: bool) -> tuple[IamPermission, ...]:
    if arn is None:
        return ()
    actions = ("kms:Decrypt", "kms:GenerateDataKey") if write else ("kms:Decrypt",)
    return (IamPermission(actions=actions, resources=(arn,)),)
