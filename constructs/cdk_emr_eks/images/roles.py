"""The roles of an image: for its builds, and for the pipeline that starts them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from aws_cdk import Aws, CfnResource
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from constructs import Construct

from cdk_emr_eks.model.images.image_uri import EcrRepository
from cdk_emr_eks.security.suppressions import skip_checkov, suppress, wildcard

_PULL = ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
_PUSH = [
    "ecr:BatchCheckLayerAvailability",
    "ecr:CompleteLayerUpload",
    "ecr:InitiateLayerUpload",
    "ecr:ListImages",
    "ecr:PutImage",
    "ecr:UploadLayerPart",
]


def build_role(
    scope: Construct,
    id: str,
    *,
    repository: str,
    log_group: str,
    artifacts: str,
    base: EcrRepository | None,
    reads_public: bool,
) -> iam.Role:
    """Create the role of the builds, which run the code of the Dockerfile.

    Args:
        repository: ARN of the image's repository, the only one to which the role may push.
        log_group: ARN of the log group of the builds, ending in ``:*``.
        artifacts: ARN of the objects that the pipeline passes to its builds.
        base: Private repository of the base image.
        reads_public: Whether the base image is in ECR Public.

    Source: https://docs.aws.amazon.com/AmazonECR/latest/userguide/image-push-iam.html
    """
    logins = ["ecr:GetAuthorizationToken"]
    if reads_public:
        # https://docs.aws.amazon.com/AmazonECR/latest/public/public-repository-policies.html
        logins += ["ecr-public:GetAuthorizationToken", "sts:GetServiceBearerToken"]
    statements = [
        _allow("Log", ["logs:CreateLogStream", "logs:PutLogEvents"], [log_group]),
        _allow("ReadContext", ["s3:GetObject", "s3:GetObjectVersion"], [artifacts]),
        # A login applies to a registry as a whole: these actions support no resource.
        _allow("Login", logins, ["*"]),
        _allow("PushImage", [*_PULL, *_PUSH], [repository]),
    ]
    if base is not None:
        arn = f"arn:{Aws.PARTITION}:ecr:{base.region}:{base.account}:repository/{base.name}"
        statements.append(_allow("PullBase", _PULL, [arn]))
    role = _role(scope, id, "codebuild", "Builds of one image", statements)
    _suppress_wildcards(role, ["*", artifacts])
    why = "a login to a registry is what builds and pushes need; it names no resource"
    skip_checkov(cast(CfnResource, role.node.default_child), {"CKV_AWS_107": why})
    return role


def pipeline_role(
    scope: Construct,
    id: str,
    *,
    bucket: str,
    source: str,
    artifacts: str,
    projects: Sequence[str],
    asset_key: kms.IKey | None,
) -> iam.Role:
    """Create the role of the pipeline, which runs no code of users.

    Args:
        bucket: ARN of the bucket of the source and of the artifacts.
        source: ARN of the source's object.
        artifacts: ARN of the pipeline's objects in that bucket.
        projects: ARNs of the projects that the pipeline starts.
        asset_key: Customer managed key of the bucket. None: the bucket has none.

    Source: https://docs.aws.amazon.com/codepipeline/latest/userguide/how-to-custom-role.html
    """
    builds = ["codebuild:BatchGetBuilds", "codebuild:StartBuild", "codebuild:StopBuild"]
    looks = ["s3:GetBucketAcl", "s3:GetBucketLocation", "s3:GetBucketVersioning"]
    reads = ["s3:GetObject", "s3:GetObjectVersion"]
    statements = [
        _allow("LookAtBucket", looks, [bucket]),
        _allow(
            "ReadSource", [*reads, "s3:GetObjectTagging", "s3:GetObjectVersionTagging"], [source]
        ),
        _allow("KeepArtifacts", [*reads, "s3:PutObject", "s3:PutObjectAcl"], [artifacts]),
        _allow("Build", builds, list(projects)),
    ]
    if asset_key is not None:
        statements.append(_allow("DecryptSource", ["kms:Decrypt"], [asset_key.key_arn]))
    role = _role(scope, id, "codepipeline", "Pipeline of one image", statements)
    _suppress_wildcards(role, [artifacts])
    return role


def _allow(sid: str, actions: list[str], resources: list[str]) -> iam.PolicyStatement:
    return iam.PolicyStatement(sid=sid, actions=sorted(actions), resources=resources)


def _role(
    scope: Construct,
    id: str,
    service: str,
    description: str,
    statements: list[iam.PolicyStatement],
) -> iam.Role:
    here = {"StringEquals": {"aws:SourceAccount": Aws.ACCOUNT_ID}}
    return iam.Role(
        scope,
        id,
        description=description,
        assumed_by=iam.ServicePrincipal(f"{service}.amazonaws.com", conditions=here),
        # Inline, so that the permissions exist before the new pipeline starts.
        inline_policies={"Access": iam.PolicyDocument(statements=statements)},
    )


def _suppress_wildcards(role: iam.Role, resources: Sequence[str]) -> None:
    reasons = {"*": "a login to a registry has no resource"}
    why = "CodePipeline generates the keys of artifacts, below the pipeline's name"
    suppress(role, {wildcard(role, each): reasons.get(each, why) for each in resources})
