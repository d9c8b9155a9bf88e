"""The bucket of an EMR Studio's workspaces, and its key."""

from __future__ import annotations

from typing import cast

from aws_cdk import Aws, Duration, RemovalPolicy
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct

from cdk_emr_eks.model.notebooks.studio import WorkspaceStorage
from cdk_emr_eks.security.suppressions import skip_checkov, suppress

# Source: https://docs.aws.amazon.com/emr/latest/ManagementGuide/emr-studio-workspace-storage-encryption.html
_KEY_USE = ("kms:Decrypt", "kms:GenerateDataKey", "kms:ReEncryptFrom", "kms:ReEncryptTo")
_NO_ACCESS_LOGS = (
    "Access logs need a separate bucket that the logged users cannot change: pass access_logs to "
    "the Studio. Only EMR uses the bucket, with the Studio's service role"
)


class WorkspaceBucket(Construct):
    """Create the S3 location of a Studio's workspaces.

    A bucket that is created here is encrypted by a separate key with yearly rotation, keeps old
    versions for a time, refuses connections without TLS, and blocks public access.

    Resources: bucket, bucket policy and key, without those that are given.

    Args:
        storage: Prefix and retention.
        bucket: An existing bucket. None: a bucket is created.
        key: Key for the files of workspaces. None: the key of ``bucket``, or a new one.
        access_logs: Bucket for the access logs of a bucket that is created here. None: no access
            logs.

    Attributes:
        bucket: The bucket.
        key: The key.
        uri: ``s3://`` URI of the location.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        storage: WorkspaceStorage,
        bucket: s3.IBucket | None = None,
        key: kms.IKey | None = None,
        access_logs: s3.IBucket | None = None,
    ) -> None:
        super().__init__(scope, id)
        self._removal = RemovalPolicy.RETAIN if storage.keep else RemovalPolicy.DESTROY
        found = key or (bucket.encryption_key if bucket else None)
        self._made_key = None if found else self._make_key()
        self.key: kms.IKey = found or cast(kms.IKey, self._made_key)
        self.bucket: s3.IBucket = bucket or self._make_bucket(storage, access_logs)
        self._prefix = storage.prefix
        name = self.bucket.bucket_name
        self.uri: str = f"s3://{name}/{storage.prefix}" if storage.prefix else f"s3://{name}"

    def statements(self) -> tuple[dict[str, object], ...]:
        """Return the service role's statements for the location, and for the key through S3."""
        arn, key = self.bucket.bucket_arn, self.key.key_arn
        through_s3 = {
            "StringEquals": {"kms:ViaService": f"s3.{Aws.REGION}.{Aws.URL_SUFFIX}"},
            # The bucket's ARN with a bucket key, the object's without.
            "StringLike": {"kms:EncryptionContext:aws:s3:arn": [arn, f"{arn}/*"]},
        }
        return (
            {
                "Sid": "AllowWorkspaceFiles",
                "Effect": "Allow",
                "Action": ["s3:PutObject", "s3:GetObject", "s3:DeleteObject"],
                "Resource": self.files,
            },
            {
                "Sid": "AllowWorkspaceBucket",
                "Effect": "Allow",
                "Action": ["s3:GetEncryptionConfiguration", "s3:ListBucket"],
                "Resource": arn,
            },
            {
                "Sid": "AllowEMRStudioWorkspaceStorageEncryptionAccess",
                "Effect": "Allow",
                "Action": list(_KEY_USE),
                "Resource": key,
                "Condition": through_s3,
            },
            {
                "Sid": "AllowKeyDescription",
                "Effect": "Allow",
                # A separate statement, since describing a key has no encryption context.
                "Action": "kms:DescribeKey",
                "Resource": key,
            },
        )

    @property
    def files(self) -> str:
        """ARN pattern of all files of the location."""
        arn = self.bucket.bucket_arn
        return f"{arn}/{self._prefix}/*" if self._prefix else f"{arn}/*"

    def allow(self, role: iam.IRole) -> None:
        """Add the service role to the policy of a key that is created here, as EMR requires.

        The owner of a given key maintains its policy. A policy by the CDK delegates to IAM, which
        is enough.
        """
        if self._made_key is None:
            return
        self._made_key.add_to_resource_policy(
            iam.PolicyStatement(
                sid="AllowEMRStudioServiceRoleAccess",
                principals=[iam.ArnPrincipal(role.role_arn)],
                actions=[*_KEY_USE, "kms:DescribeKey"],
                # A key policy applies to its key only.
                resources=["*"],
                conditions={
                    # The bucket is created after its key, so that only the role's policy names it.
                    "StringEquals": {
                        "kms:CallerAccount": Aws.ACCOUNT_ID,
                        "kms:ViaService": f"s3.{Aws.REGION}.{Aws.URL_SUFFIX}",
                    }
                },
            )
        )

    def _make_key(self) -> kms.Key:
        return kms.Key(
            self,
            "Key",
            description="Files of workspaces of an EMR Studio",
            enable_key_rotation=True,
            removal_policy=self._removal,
        )

    def _make_bucket(self, storage: WorkspaceStorage, access_logs: s3.IBucket | None) -> s3.Bucket:
        rule = s3.LifecycleRule(
            abort_incomplete_multipart_upload_after=Duration.days(7),
            noncurrent_version_expiration=Duration.days(storage.keep_old_versions.days),
            expired_object_delete_marker=True,
        )
        bucket = s3.Bucket(
            self,
            "Bucket",
            encryption=s3.BucketEncryption.KMS,
            encryption_key=self.key,
            # One call to KMS for many files, not one for each.
            bucket_key_enabled=True,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            enforce_ssl=True,
            versioned=True,
            lifecycle_rules=[rule],
            removal_policy=self._removal,
            server_access_logs_bucket=access_logs,
            server_access_logs_prefix="emr-studio/" if access_logs else None,
        )
        if access_logs is None:
            suppress(bucket, {"AwsSolutions-S1": _NO_ACCESS_LOGS})
            skip_checkov(
                cast(s3.CfnBucket, bucket.node.default_child), {"CKV_AWS_18": _NO_ACCESS_LOGS}
            )
        return bucket
