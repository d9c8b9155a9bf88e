"""What CloudFormation calls for images of one's own: repository, builds and pipeline."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from cdk_emr_eks.deploy_policy.right import Right, linked, regional, right

_TAGS: Final = " TagResource UntagResource"

IMAGE_RIGHTS: Final[Mapping[str, tuple[Right, ...]]] = {
    # CloudFormation does the waiting itself.
    "AWS::CloudFormation::WaitCondition": (),
    "AWS::CloudFormation::WaitConditionHandle": (),
    "AWS::CodeBuild::Project": (
        right(
            "codebuild",
            "BatchGetProjects CreateProject DeleteProject UpdateProject",
            regional("codebuild", "project/{name}"),
            "Name",
        ),
    ),
    "AWS::CodePipeline::Pipeline": (
        right(
            "codepipeline",
            "CreatePipeline DeletePipeline GetPipeline GetPipelineState ListTagsForResource "
            "StartPipelineExecution UpdatePipeline" + _TAGS,
            regional("codepipeline", "{name}"),
            "Name",
        ),
        right("iam", "GetRole", "{roles}"),
    ),
    # ECR does not narrow rules to a prefix. The rule's service-linked role is ECR's own.
    "AWS::ECR::PullThroughCacheRule": (
        right(
            "ecr",
            "CreatePullThroughCacheRule DeletePullThroughCacheRule DescribePullThroughCacheRules",
        ),
        linked("pullthroughcache.ecr.amazonaws.com"),
    ),
    "AWS::ECR::Repository": (
        right(
            "ecr",
            "CreateRepository DeleteLifecyclePolicy DeleteRepository DeleteRepositoryPolicy "
            "DescribeRepositories GetLifecyclePolicy GetRepositoryPolicy ListTagsForResource "
            "PutImageScanningConfiguration PutImageTagMutability PutLifecyclePolicy "
            "SetRepositoryPolicy" + _TAGS,
            regional("ecr", "repository/{name}"),
            "RepositoryName",
        ),
        # A repository under a key of one's own; the key's id is not known before it exists.
        right("kms", "CreateGrant DescribeKey RetireGrant", regional("kms", "key/*")),
    ),
}
"""Rights by type of resource; see ``rights.RIGHTS``. CloudFormation publishes no handlers of
CodeBuild's: these are the calls on a project that it has for it.

Source: https://docs.aws.amazon.com/codebuild/latest/userguide/auth-and-access-control-permissions-reference.html
"""

IMAGE_PASSED_TO: Final = {
    "AWS::CodeBuild::Project": (("ServiceRole", "codebuild.amazonaws.com"),),
    "AWS::CodePipeline::Pipeline": (("RoleArn", "codepipeline.amazonaws.com"),),
}
"""Property that passes a role, and the service that gets it; see ``rights.PASSED_TO``."""
