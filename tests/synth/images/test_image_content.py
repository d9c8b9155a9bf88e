"""The build context of an image, and changes that build it again."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest

from cdk_emr_eks.images.image import SparkImage
from cdk_emr_eks.labels import Architecture
from cdk_emr_eks.model.images.image import BuilderSize, ImageBuilder, ImageSpec
from tests.synth.images.image_app import (
    BASE,
    DIGEST,
    DOCKERFILE,
    SCIENCE,
    context_of,
    template_of,
    variables,
)
from tests.synth.tenants.tenancy_app import new_app


def names(folder: Path) -> list[str]:
    """Names of what a folder has."""
    return sorted(path.name for path in folder.iterdir())


def test_a_derived_context_has_what_was_asked_for() -> None:
    folder = context_of("Spark")
    assert names(folder) == ["Dockerfile", "requirements.txt"]
    assert (folder / "requirements.txt").read_text() == "pandas==2.2.3\n"
    assert "pip3 install" in (folder / "Dockerfile").read_text()


def test_a_directory_is_taken_but_for_what_is_ignored() -> None:
    assert names(context_of("Own")) == [".dockerignore", "Dockerfile", "tool.py"]


def test_jars_are_next_to_the_dockerfile(tmp_path: Path) -> None:
    jar = tmp_path / "udf.jar"
    jar.write_bytes(b"PK")
    app = new_app()
    SparkImage(cdk.Stack(app, "Stack"), "Image", spec=ImageSpec(name="jars", jars=(jar,)))
    folder = Path(app.synth().directory)
    (context,) = folder.glob("asset.*")
    assert (context / "jars" / "udf.jar").read_bytes() == b"PK"
    assert not (context / "requirements.txt").exists()
    assert (folder / "images" / "Stack-Image" / "Dockerfile").is_file()


def contents(image: ImageSpec) -> tuple[str, frozenset[str]]:
    """The tag of an image, and the logical ids of its wait."""
    found = template_of(image)["Resources"]
    (pipeline,) = (each for each in found.values() if each["Type"] == "AWS::CodePipeline::Pipeline")
    join = pipeline["Properties"]["Stages"][-1]["Actions"][0]["Configuration"]
    waits = frozenset(id for id, each in found.items() if "::WaitCondition" in each["Type"])
    return variables(join)["TAG"], waits


def test_same_content_same_tag_and_same_wait() -> None:
    tag, waits = contents(SCIENCE)
    assert contents(replace(SCIENCE, builder=ImageBuilder(size=BuilderSize.LARGE))) == (tag, waits)
    assert contents(replace(SCIENCE, name="other"))[0] == tag


@pytest.mark.parametrize(
    "changes",
    [
        {"requirements": ("pandas==2.2.4",)},
        {"release_label": "emr-7.13.0-latest"},
        {"base": f"{BASE}@{DIGEST}"},
        {"architectures": (Architecture.AMD64,)},
        {"revision": "2026-12"},
    ],
    ids=str,
)
def test_changed_content_has_another_tag_and_another_wait(changes: dict[str, Any]) -> None:
    tag, waits = contents(SCIENCE)
    other, others = contents(replace(SCIENCE, **changes))
    assert other != tag
    assert not waits & others


def test_a_directory_without_a_dockerignore_is_taken_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text(DOCKERFILE)
    (tmp_path / "tool.py").write_text("print()")
    app = new_app()
    spec = ImageSpec(name="plain", directory=tmp_path)
    SparkImage(cdk.Stack(app, "Stack"), "Image", spec=spec)
    (context,) = Path(app.synth().directory).glob("asset.*/")
    assert names(context) == ["Dockerfile", "tool.py"]


def test_an_image_in_a_nested_stack_has_literal_names_and_a_tag_for_its_parent() -> None:
    stack = cdk.Stack(new_app(), "Stack")
    nested = cdk.NestedStack(stack, "Nested")
    image = SparkImage(nested, "Image", spec=SCIENCE)
    cdk.CfnOutput(stack, "Uri", value=image.uri)
    inner = cdk.assertions.Template.from_stack(nested).to_json()
    kinds = {
        each["Type"]: each["Properties"]
        for each in inner["Resources"].values()
        if "Properties" in each
    }
    assert kinds["AWS::ECR::Repository"]["RepositoryName"].startswith("emr-eks/science/")
    assert len(kinds["AWS::CodePipeline::Pipeline"]["Name"]) <= 20
    outer = cdk.assertions.Template.from_stack(stack).to_json()
    assert outer["Outputs"]["Uri"]["Value"]["Fn::Join"][1][-1] == f":{image.tag}"
