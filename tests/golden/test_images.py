"""What a custom image becomes, resource by resource, as a file that a reviewer reads."""

from __future__ import annotations

from copy import deepcopy

from syrupy.assertion import SnapshotAssertion

from tests.synth.images.image_app import images


def test_spark_image(golden: SnapshotAssertion) -> None:
    resources = deepcopy(images().templates["Spark"]["Resources"])
    for resource in resources.values():
        if resource["Type"] == "AWS::CodeBuild::Project":
            # It is a separate file, which tests run.
            resource["Properties"]["Source"].pop("BuildSpec")
    assert [{id: item} for id, item in resources.items()] == golden(name="spark-image")
