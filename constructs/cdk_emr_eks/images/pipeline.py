"""The pipeline of an image, and its CodeBuild projects."""

from __future__ import annotations

import json
from collections.abc import Mapping
from importlib.resources import files
from typing import Final

from aws_cdk import aws_codebuild as codebuild
from aws_cdk import aws_codepipeline as codepipeline
from constructs import Construct

from cdk_emr_eks.labels import Architecture
from cdk_emr_eks.model.images.image import ImageBuilder
from cdk_emr_eks.security.suppressions import suppress
from cdk_emr_eks.versions import CODEBUILD_IMAGES

# Minutes that a build may wait for a machine.
QUEUE_MINUTES: Final = 15

_TYPES: Final[Mapping[Architecture, str]] = {
    Architecture.AMD64: "LINUX_CONTAINER",
    Architecture.ARM64: "ARM_CONTAINER",
}
_END: Final = "END_OF_BUILD_SCRIPT"

_Pipeline = codepipeline.CfnPipeline
_SOURCE = "Context"


def image_pipeline(
    scope: Construct,
    id: str,
    *,
    name: str,
    role_arn: str,
    bucket: str,
    key: str,
    projects: Mapping[Architecture, codebuild.CfnProject],
    variables: Mapping[str, str],
) -> codepipeline.CfnPipeline:
    """Create the pipeline: source, one build for each architecture in parallel, and their join.

    Args:
        name: Name, of at most 20 characters: keys of artifacts begin with at most 20 of them.
        role_arn: Role of the pipeline.
        bucket: Bucket of the source and of the artifacts.
        key: Key of the source.
        projects: Projects by architecture; the first one also joins.
        variables: Environment of all builds. Variables that depend on the image's content are here,
            so that a change of the content changes only the pipeline, which then starts again.

    Source:
    https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-codepipeline-pipeline.html
    """
    source = _Pipeline.ActionDeclarationProperty(
        name="Context",
        action_type_id=_type("Source", "S3"),
        configuration={"S3Bucket": bucket, "S3ObjectKey": key, "PollForSourceChanges": False},
        output_artifacts=[_Pipeline.OutputArtifactProperty(name=_SOURCE)],
    )
    builds = [
        _build(str(architecture), project, {**variables, "STEP": "build"})
        for architecture, project in projects.items()
    ]
    join = _build("join", next(iter(projects.values())), {**variables, "STEP": "join"})
    stages = {"Source": [source], "Build": builds, "Join": [join]}
    return _Pipeline(
        scope,
        id,
        name=name,
        role_arn=role_arn,
        pipeline_type="V2",
        restart_execution_on_update=True,
        # The asset bucket, which every bootstrapped environment has. CloudFormation could not
        # delete a bucket of the stack, since it does not empty buckets.
        artifact_store=_Pipeline.ArtifactStoreProperty(type="S3", location=bucket),
        stages=[
            _Pipeline.StageDeclarationProperty(name=stage, actions=actions)
            for stage, actions in stages.items()
        ],
    )


def _build(
    name: str, project: codebuild.CfnProject, variables: Mapping[str, str]
) -> codepipeline.CfnPipeline.ActionDeclarationProperty:
    # Short, since CodePipeline accepts 1,000 characters, most of which are the URL.
    environment = [{"name": variable, "value": value} for variable, value in variables.items()]
    return _Pipeline.ActionDeclarationProperty(
        name=name,
        action_type_id=_type("Build", "CodeBuild"),
        configuration={
            "ProjectName": project.ref,
            "EnvironmentVariables": json.dumps(environment, separators=(",", ":")),
        },
        input_artifacts=[_Pipeline.InputArtifactProperty(name=_SOURCE)],
    )


def _type(category: str, provider: str) -> codepipeline.CfnPipeline.ActionTypeIdProperty:
    return _Pipeline.ActionTypeIdProperty(
        category=category, owner="AWS", provider=provider, version="1"
    )


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
    """Create the project for one architecture, on a machine of that architecture.

    Args:
        architecture: Architecture of the machine.
        name: Name of the project.
        builder: Size of the machine, and timeout.
        role_arn: Role of the builds.
        variables: Environment of all its builds.
        log_group: Log group of the builds.

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
            # CodeBuild has Docker in this mode only. Each build has a separate machine, and its
            # role may push to this repository only.
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
    suppress(project, {"AwsSolutions-CB4": "A build has no artifacts: its image is pushed to ECR"})
    return project


def buildspec() -> str:
    """Return the buildspec as JSON, which is YAML, too.

    Source: https://docs.aws.amazon.com/codebuild/latest/userguide/build-spec-ref.html
    """
    script = (files("cdk_emr_eks.images") / "build.sh").read_text(encoding="utf-8")
    # From a file, since commands of the script would consume standard input.
    command = f'script=$(mktemp)\ncat >"$script" <<\'{_END}\'\n{script}{_END}\nbash "$script"'
    return json.dumps(
        {
            "version": "0.2",
            "env": {"shell": "bash"},
            "phases": {"build": {"commands": [command]}},
        },
        indent=1,
    )
