"""What CloudFormation replaces, and what Kubernetes and EMR refuse to change."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from cfnlint.schema import PROVIDER_SCHEMA_MANAGER  # type: ignore[import-untyped]
from click.testing import CliRunner

from cdk_emr_eks.cli import main
from cdk_emr_eks.diff.replacement import REPLACING
from cdk_emr_eks.model.workloads.priority import priority_classes
from tests.cli import assemblies
from tests.diff.comparing import changed, compared


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
    assert "=> EMR takes one virtual cluster of a namespace" in output.output


@pytest.mark.parametrize("kind", sorted(REPLACING))
def test_replacement_is_what_cloudformation_says(kind: str) -> None:
    schema = PROVIDER_SCHEMA_MANAGER.get_resource_schema("us-east-1", kind).schema
    create_only = {path.removeprefix("/properties/") for path in schema["createOnlyProperties"]}
    assert REPLACING[kind] <= create_only
