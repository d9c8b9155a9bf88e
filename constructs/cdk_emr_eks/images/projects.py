"""CodeBuild projects of an image: one for each architecture, on machines of that architecture."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from aws_cdk import aws_codebuild as codebuild
from constructs import Construct

from cdk_emr_eks.images.buildspec import buildspec
from cdk_emr_eks.labels import Architecture
from cdk_emr_eks.model.images.image import ImageBuilder
from cdk_emr_eks.security.nag import accept
from cdk_emr_eks.versions import CODEBUILD_IMAGES

QUEUE_MINUTES: Final = 15
"""How long a build may wait for a machine."""
_TYPES: Final[Mapping[Architecture, str]] = {
    Architecture.AMD64: "LINUX_CONTAINER",
    Architecture.ARM64: "ARM_CONTAINER",
}
_NO_OUTPUT: Final = "the build keeps nothing: its image goes to ECR"


def build_project(
    scope: Construct,
    architecture: Architecture,
    *,
    name: str,
    builder: ImageBuilder,
    role_arn: str,
    variables: Mapping[str, str],
    log_group: str,
) -> codebuild.CfnProject:
    """Make the project for one architecture, on a machine of it: nothing is emulated.

    Args:
        architecture: Architecture of the machine.
        name: Name of the project.
        builder: Size of the machine, and how long it may take.
        role_arn: Role of the builds.
        variables: What is the same for all images that it will build.
        log_group: Where builds log.

    Source: https://docs.aws.amazon.com/codebuild/latest/userguide/sample-docker.html
    """
    environment = {"ARCHITECTURE": str(architecture), **variables}
    project = codebuild.CfnProject(
        scope,
        f"Build{architecture.capitalize()}",
        name=name,
        artifacts=codebuild.CfnProject.ArtifactsProperty(type="CODEPIPELINE"),
        environment=codebuild.CfnProject.EnvironmentProperty(
            type=_TYPES[architecture],
            image=CODEBUILD_IMAGES[architecture],
            compute_type=str(builder.size),
            # CodeBuild has Docker in this mode only. The machine is for one build, and its role may
            # push to this one repository.
            privileged_mode=True,
            environment_variables=[
                codebuild.CfnProject.EnvironmentVariableProperty(name=name, value=value)
                for name, value in environment.items()
            ],
        ),
        service_role=role_arn,
        source=codebuild.CfnProject.SourceProperty(type="CODEPIPELINE", build_spec=buildspec()),
        timeout_in_minutes=int(builder.timeout.total_seconds()) // 60,
        queued_timeout_in_minutes=QUEUE_MINUTES,
        logs_config=codebuild.CfnProject.LogsConfigProperty(
            cloud_watch_logs=codebuild.CfnProject.CloudWatchLogsConfigProperty(
                status="ENABLED", group_name=log_group, stream_name=str(architecture)
            )
        ),
    )
    accept(project, {"AwsSolutions-CB4": _NO_OUTPUT})
    return project
