"""One app that the tests of images share: images of each kind, and who uses them."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from constructs import Construct

from cdk_emr_eks.images.image import NotebookImage, SparkImage
from cdk_emr_eks.labels import Architecture
from cdk_emr_eks.model.images.image import ImageSpec, ImageStore
from tests.synth.synthesized import Resource, Synthesized, synthesize
from tests.synth.tenants.tenancy_app import new_app

DIGEST = "sha256:" + "0a" * 32
BASE = "999988887777.dkr.ecr.us-west-2.amazonaws.com/bases/spark"
DOCKERFILE = "ARG BASE_IMAGE\nFROM ${BASE_IMAGE}\nUSER root\nRUN true\nUSER hadoop:hadoop\n"
SCIENCE = ImageSpec(name="science", requirements=("pandas==2.2.3",))


def template_of(image: ImageSpec, path: str = "Image") -> dict[str, dict[str, Resource]]:
    """The template of an app with one image."""
    stack = cdk.Stack(new_app(), "Stack")
    SparkImage(stack, path, spec=image)
    return dict(cdk.assertions.Template.from_stack(stack).to_json())


def variables(
    configuration: dict[str, Any], template: dict[str, Any] | None = None
) -> dict[str, str]:
    """Environment variables of an action, with the ids of resources for what refers to them."""
    text = configuration["EnvironmentVariables"]["Fn::Join"][1]
    joined = "".join(part if isinstance(part, str) else str(part["Ref"]) for part in text)
    return {each["name"]: each["value"] for each in json.loads(joined)}


@cache
def images() -> Synthesized:
    """Synthesize once for all tests."""
    app = new_app()
    spark = SparkImage(cdk.Stack(app, "Spark"), "Science", spec=SCIENCE)
    cdk.CfnOutput(cdk.Stack.of(spark), "Uri", value=spark.uri)
    _user(cdk.Stack(app, "User"), spark)
    _own(cdk.Stack(app, "Own"))
    notebook = cdk.Stack(app, "Notebook", env=cdk.Environment(region="us-gov-west-1"))
    kernel = ImageSpec(name="kernel-of-science", requirements=("pandas==2.2.3",))
    NotebookImage(notebook, "Kernel", spec=kernel)
    return synthesize(app)


def context_of(stack: str) -> Path:
    """The build context of a stack's image."""
    source = images().properties(stack, "AWS::CodePipeline::Pipeline")["Stages"][0]["Actions"][0]
    key = source["Configuration"]["S3ObjectKey"]
    return images().outdir / f"asset.{key.removesuffix('.zip')}"


def _user(stack: cdk.Stack, image: SparkImage) -> None:
    """A user of the image in another stack."""
    cdk.CfnOutput(stack, "Uri", value=image.uri)
    role = iam.Role(stack, "Puller", assumed_by=iam.ServicePrincipal("ec2.amazonaws.com"))
    image.grant_pull(role)


def _own(stack: cdk.Stack) -> None:
    """An image with custom directory, base, keys, and one architecture."""
    spec = ImageSpec(
        name="own",
        directory=_directory(stack),
        base=f"{BASE}@{DIGEST}",
        architectures=(Architecture.ARM64,),
        store=ImageStore(images=5, retain=True),
    )
    key = kms.Key(stack, "Key", enable_key_rotation=True)
    arn = f"arn:{cdk.Aws.PARTITION}:kms:eu-west-1:111122223333:key/1"
    assets = kms.Key.from_key_arn(stack, "AssetKey", arn)
    SparkImage(stack, "Image", spec=spec, key=key, asset_key=assets)


def _directory(scope: Construct) -> Path:
    folder = Path(cdk.App.of(scope).outdir) / "own"  # type: ignore[union-attr]
    (folder / ".git").mkdir(parents=True)
    (folder / "data").mkdir()
    texts = {
        "Dockerfile": DOCKERFILE,
        ".dockerignore": "# not these\ndata\n*.log\nDockerfile\n",
        ".git/HEAD": "ref",
        "data/large.csv": "1",
        "build.log": "1",
        "tool.py": "print()",
    }
    for name, text in texts.items():
        (folder / name).write_text(text)
    return folder
