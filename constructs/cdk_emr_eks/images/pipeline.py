"""The pipeline of an image: it starts by itself when it is made, and when its source changes."""

from __future__ import annotations

import json
from collections.abc import Mapping

from aws_cdk import aws_codebuild as codebuild
from aws_cdk import aws_codepipeline as codepipeline
from constructs import Construct

from cdk_emr_eks.labels import Architecture

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
    """Make the pipeline: source, one build for each architecture at a time, and their join.

    Args:
        name: Name, of at most 20 characters: what artifacts' keys begin with is not longer.
        role_arn: Role of the pipeline.
        bucket: Bucket of the source, which takes the artifacts, too.
        key: Key of the source.
        projects: Projects by architecture; the first one also joins.
        variables: Environment of all builds. What changes with the image's content is here, so that
            only the pipeline changes with it, and starts again.

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
        # The asset bucket, which every bootstrapped environment has: a bucket of the stack's own
        # could not be deleted with it, since CloudFormation does not empty buckets.
        artifact_store=_Pipeline.ArtifactStoreProperty(type="S3", location=bucket),
        stages=[
            _Pipeline.StageDeclarationProperty(name=stage, actions=actions)
            for stage, actions in stages.items()
        ],
    )


def _build(
    name: str, project: codebuild.CfnProject, variables: Mapping[str, str]
) -> codepipeline.CfnPipeline.ActionDeclarationProperty:
    # As short as it may be: CodePipeline takes 1,000 characters, of which the URL has most.
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
