"""What CloudFormation replaces, and what Kubernetes and EMR refuse to change."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from cfnlint.schema import PROVIDER_SCHEMA_MANAGER  # type: ignore[import-untyped]
from click.testing import CliRunner

from cdk_emr_eks.cli import main
from cdk_emr_eks.diff.replacement import REPLACING
from cdk_emr_eks.model.workloads.priority import priority_classes
from tests.cli import assemblies
from tests.diff.comparing import changed, compared, printed


def test_what_kubernetes_refuses_to_change_is_said(tmp_path: Path) -> None:
    folders = []
    for priority in (500, 600):
        classes = assemblies.manifest(*priority_classes("nightly", priority))
        resources = assemblies.platform(Priorities=classes)
        folders.append(assemblies.write(tmp_path / str(priority), {"Platform": resources}))
    found = compared(*folders)
    assert [(change.name, change.refused) for change in found] == [
        ("PriorityClass nightly-driver", ("value",)),
        ("PriorityClass nightly-executor", ("value",)),
    ]
    output = CliRunner().invoke(main, ["diff", *map(str, folders)]).output
    assert output.count("refused by Kubernetes, because of value") == 2
    assert "2 refused: the deployment would fail" in output


def test_a_renamed_virtual_cluster_would_be_a_second_one_of_its_namespace(
    old: Path, tmp_path: Path
) -> None:
    resources = dict(assemblies.tenant())
    name = "analyticsVc"
    properties: Any = resources[name]["Properties"]
    resources[name] = {**resources[name], "Properties": {**properties, "Name": "other"}}
    found = changed(old, tmp_path, **resources)
    replaced = [change for change in found if change.replaced_by]
    assert [(c.name, c.replaced_by) for c in replaced] == [
        (f"AWS::EMRContainers::VirtualCluster {name}", ("Name",))
    ]
    output = CliRunner().invoke(main, ["diff", str(old), str(tmp_path), "--exit-code"])
    assert output.exit_code == 1
    assert "replaced by CloudFormation, because of Name" in output.output
    assert "1 known to be replaced, 1 refused: the deployment would fail" in output.output
    assert "refused by EMR, because of Name" in output.output
    assert "=> EMR accepts one virtual cluster for a namespace" in output.output


def renamed_tenant(folder: Path) -> Path:
    """Write the platform with another name for the tenant, and so with other logical ids.

    Namespace, role and log group keep their names.
    """
    log_group = assemblies.resource("AWS::Logs::LogGroup", LogGroupName="/emr/analytics")
    own = {**assemblies.tenant(), "analyticsLogs": log_group}
    label = '\\"emr-eks/tenant\\": \\"analytics\\"'
    text = json.dumps(own).replace(label, label.replace("analytics", "insights"))
    renamed = {key.replace("analytics", "insights"): each for key, each in json.loads(text).items()}
    for each in renamed.values():
        arn = each["Properties"].get("RoleArn")
        if arn:
            arn["Fn::GetAtt"][0] = "insightsRole"
    platform: Any = assemblies.platform()
    rest = {key: each for key, each in platform["Resources"].items() if key not in own}
    stack = {"Resources": {**rest, **renamed}, "Outputs": platform["Outputs"]}
    return assemblies.write(folder, {"Platform": stack})


def test_a_renamed_tenant_that_keeps_its_namespace_is_refused(tmp_path: Path) -> None:
    log_group = assemblies.resource("AWS::Logs::LogGroup", LogGroupName="/emr/analytics")
    platform = assemblies.platform(analyticsLogs=log_group)
    old = assemblies.write(tmp_path / "old", {"Platform": platform})
    found = compared(old, renamed_tenant(tmp_path / "new"))
    (tenant,) = (change for change in found if change.category == "tenant")
    assert (tenant.name, tenant.action) == ("insights", "changed")
    assert ("name", "analytics", "insights") in [(f.path, f.old, f.new) for f in tenant.fields]
    refused = {change.name: change.effects for change in found if change.refused}
    assert set(refused) == {
        "AWS::EMRContainers::VirtualCluster insightsVc",
        "AWS::IAM::Role insightsRole",
        "AWS::Logs::LogGroup insightsLogs",
        *(
            f"AWS::EKS::PodIdentityAssociation insightsspark-{pod}"
            for pod in ("client", "driver", "executor")
        ),
    }
    (effect,) = refused["AWS::IAM::Role insightsRole"]
    assert effect.startswith("emr-analytics exists: CloudFormation creates the new resource before")
    text = printed(old, tmp_path / "new")
    assert (
        "+ AWS::EMRContainers::VirtualCluster insightsVc\n"
        "      refused by EMR, because of its namespace\n"
        "      => EMR accepts one virtual cluster for a namespace"
    ) in text
    assert "refused by IAM, because of its name" in text
    assert (
        "- Custom::AWSCDK-EKS-KubernetesResource analyticsObjects\n"
        "      => another resource applies Namespace analytics, ResourceQuota quota first, then "
        "CloudFormation deletes this one, and kubectl deletes these objects"
    ) in text
    assert "6 refused: the deployment would fail" in text


def test_a_new_tenant_of_a_new_namespace_is_not_refused(old: Path, tmp_path: Path) -> None:
    assert not any(change.refused for change in changed(old, tmp_path, **assemblies.tenant("x")))


def test_a_tenant_of_another_name_and_namespace_is_known_by_its_role(tmp_path: Path) -> None:
    def write(folder: str, name: str, role: str) -> Path:
        resources = dict(assemblies.tenant(name))
        properties: Any = resources[f"{name}Role"]["Properties"]
        named = {**resources[f"{name}Role"], "Properties": {**properties, "RoleName": role}}
        stack = {"Resources": {**resources, f"{name}Role": named}}
        return assemblies.write(tmp_path / folder, {"S": stack})

    found = compared(write("old", "one", "jobs"), write("new", "two", "jobs"))
    assert [(c.name, c.action) for c in found if c.category == "tenant"] == [("two", "changed")]
    found = compared(tmp_path / "old", write("other", "two", "others"))
    assert sorted((c.name, c.action) for c in found if c.category == "tenant") == [
        ("one", "removed"),
        ("two", "added"),
    ]


@pytest.mark.parametrize("kind", sorted(REPLACING))
def test_replacement_is_what_cloudformation_says(kind: str) -> None:
    schema = PROVIDER_SCHEMA_MANAGER.get_resource_schema("us-east-1", kind).schema
    create_only = {path.removeprefix("/properties/") for path in schema["createOnlyProperties"]}
    assert REPLACING[kind] <= create_only
