"""Pod templates as assets: content-addressed, readable, usable from other stacks."""

from __future__ import annotations

import json
from pathlib import Path

import aws_cdk as cdk
import pytest
import yaml

from cdk_emr_eks.errors import ConfigError
from cdk_emr_eks.labels import SparkRole
from cdk_emr_eks.model.pods.pod_template import driver_template, executor_template
from cdk_emr_eks.pods.pod_templates import PodTemplates
from tests.synth.synthesized import Synthesized
from tests.synth.tenants.tenancy_app import WORKLOADS, new_app, synthesized

TEMPLATE = {
    "apiVersion": "v1",
    "kind": "Pod",
    "spec": {"nodeSelector": {"emr-eks/workload": "shared"}},
}


@pytest.fixture(scope="module")
def app() -> Synthesized:
    return synthesized()


@pytest.fixture
def templates() -> PodTemplates:
    return PodTemplates(cdk.Stack(new_app(), "S"), "PodTemplates", workloads=WORKLOADS)


def test_readable_copies_are_the_specs(app: Synthesized) -> None:
    folder = app.outdir / "pod-templates" / "Platform"
    assert {path.name for path in folder.iterdir()} == {
        f"{workload}-{role}.yaml" for workload in WORKLOADS for role in SparkRole
    }
    for workload in WORKLOADS.values():
        for role, template in (
            (SparkRole.DRIVER, driver_template(workload)),
            (SparkRole.EXECUTOR, executor_template(workload)),
        ):
            text = (folder / f"{workload.name}-{role}.yaml").read_text()
            assert yaml.safe_load(text) == json.loads(json.dumps(template))


def test_the_assets_are_the_readable_copies(app: Synthesized) -> None:
    readable = {path.read_text() for path in (app.outdir / "pod-templates").rglob("*.yaml")}
    staged = {path.read_text() for path in app.outdir.glob("asset.*.yaml")}
    assert staged == readable


def test_nothing_is_deployed_to_copy_them(app: Synthesized) -> None:
    assert not app.of_type("Platform", "Custom::CDKBucketDeployment")


def test_keys_are_the_content() -> None:
    first, second = (
        PodTemplates(cdk.Stack(new_app(), "S"), "PodTemplates", workloads=WORKLOADS)
        for _ in range(2)
    )
    stack = cdk.Stack()
    for workload in WORKLOADS:
        uris = {
            stack.resolve(item.location(workload, SparkRole.DRIVER).uri)["Fn::Join"][1][-1]
            for item in (first, second)
        }
        assert len(uris) == 1


def test_other_stacks_use_them_without_exports(app: Synthesized) -> None:
    role = json.dumps(app.of_type("Plain", "AWS::IAM::Role"))
    assert "cdk-hnb659fds-assets-${AWS::AccountId}-${AWS::Region}" in role
    assert "Fn::ImportValue" not in role


def test_a_template_of_ones_own(templates: PodTemplates, tmp_path: Path) -> None:
    value = templates.upload("value", TEMPLATE)
    path = tmp_path / "mine.yaml"
    path.write_text(yaml.safe_dump(TEMPLATE))
    file = templates.upload("file", path)
    resolve = cdk.Stack.of(templates).resolve
    assert resolve(value.object_arn)["Fn::Join"][1][0] == "arn:"
    # The same content is the same object, however it was given.
    assert resolve(value.uri) == resolve(file.uri)


def test_bad_templates_are_refused(templates: PodTemplates, tmp_path: Path) -> None:
    two = tmp_path / "two.yaml"
    two.write_text("a: 1\n---\nb: 2\n")
    cases: list[tuple[str, object, str]] = [
        ("Mine", TEMPLATE, "Pod template 'Mine': name must be a DNS label"),
        ("shared-driver", TEMPLATE, "Pod template 'shared-driver': name must be unique"),
        ("none", tmp_path / "none.yaml", "must be a mapping, a PodTemplate or a file"),
        ("two", two, r"must hold one YAML document, .* holds 2"),
    ]
    for name, template, message in cases:
        with pytest.raises(ConfigError, match=message):
            templates.upload(name, template)  # type: ignore[arg-type]
    barred = {**TEMPLATE, "spec": {"serviceAccountName": "default"}}
    with pytest.raises(ConfigError, match=r"Pod template 'barred'.*serviceAccountName"):
        templates.upload("barred", barred)
    with pytest.raises(ConfigError, match="workload must be one of critical, shared, notebook"):
        templates.location("gpu", SparkRole.DRIVER)
