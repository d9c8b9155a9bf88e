"""``emr-eks diff``: one value is changed, and precisely that is told."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from cfnlint.schema import PROVIDER_SCHEMA_MANAGER  # type: ignore[import-untyped]
from click.testing import CliRunner

from cdk_emr_eks.cli import main
from cdk_emr_eks.plan.diff import Change, diff_assemblies
from cdk_emr_eks.plan.objects import open_assembly
from cdk_emr_eks.plan.replacement import REPLACING
from cdk_emr_eks.plan.structure import FieldChange, changes
from cdk_emr_eks.spec.workloads.catalog import DEFAULT_WORKLOADS
from cdk_emr_eks.spec.workloads.priority import priority_classes
from cdk_emr_eks.spec.workloads.shapes import Limits
from cdk_emr_eks.units import Cpu, Memory
from tests.cli import assemblies

Resources = Mapping[str, Mapping[str, object]]


@pytest.fixture(scope="module")
def old(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return assemblies.write(tmp_path_factory.mktemp("old"), {"Platform": assemblies.platform()})


def compared(old: Path, new: Path) -> tuple[Change, ...]:
    return diff_assemblies(open_assembly(old), open_assembly(new))


def changed(old: Path, new: Path, **resources: Mapping[str, object]) -> tuple[Change, ...]:
    """Compare the platform with one that has these resources in place of its own."""
    assemblies.write(new, {"Platform": assemblies.platform(**resources)})
    return compared(old, new)


def test_nothing_changes(old: Path, tmp_path: Path) -> None:
    assert changed(old, tmp_path) == ()
    output = CliRunner().invoke(main, ["diff", str(old), str(tmp_path), "--exit-code"])
    assert (output.exit_code, output.output.strip()) == (0, "Nothing changes.")


def test_a_limit_is_told_for_each_pool_it_changes(old: Path, tmp_path: Path) -> None:
    critical, shared, notebook = DEFAULT_WORKLOADS
    limits = Limits(cpu=Cpu.cores(640), memory=shared.driver_limits.memory)
    pools = assemblies.pools([critical, replace(shared, driver_limits=limits), notebook])
    found = changed(old, tmp_path, Pools=pools)
    assert {change.name for change in found} == {f"shared-driver-us-east-1{zone}" for zone in "abc"}
    before = shared.driver_limits.cpu.kubernetes
    field = FieldChange(path="spec.limits.cpu", old=before, new="640")
    assert {change.fields for change in found} == {(field,)}


def test_a_quota_is_told_as_the_tenants(old: Path, tmp_path: Path) -> None:
    (change,) = changed(old, tmp_path, **assemblies.tenant(cpu="800"))
    assert (change.category, change.name, change.action) == ("tenant", "analytics", "changed")
    path = "ResourceQuota quota.spec.hard[requests.cpu]"
    assert change.fields == (FieldChange(path=path, old="400", new="800"),)


def test_a_new_tenant_is_added_with_its_roles(old: Path, tmp_path: Path) -> None:
    found = changed(old, tmp_path, **assemblies.tenant("science"))
    assert {change.action for change in found} == {"added"}
    by_category: dict[str, int] = {}
    for change in found:
        by_category[change.category] = by_category.get(change.category, 0) + 1
    assert by_category == {"tenant": 1, "IAM": 4, "resource": 1}


def test_a_chart_version_and_a_value_are_told(old: Path, tmp_path: Path) -> None:
    chart = assemblies.resource(
        "Custom::AWSCDK-EKS-HelmChart",
        Release="karpenter",
        Chart="karpenter",
        Version="1.15.0",
        Namespace="kube-system",
        Values='{"settings":{"clusterName":"${Cluster1234}","featureGates":{"x":true}}}',
    )
    (change,) = changed(old, tmp_path, Karpenter=chart)
    assert [(f.path, f.old, f.new) for f in change.fields] == [
        ("version", "1.14.1", "1.15.0"),
        ("values.settings.featureGates", None, {"x": True}),
    ]


def test_configuration_of_an_add_on_is_told_by_field(old: Path, tmp_path: Path) -> None:
    addon = assemblies.resource(
        "AWS::EKS::Addon",
        AddonName="vpc-cni",
        AddonVersion="v1.21.1-eksbuild.1",
        ConfigurationValues='{"env": {"ENABLE_PREFIX_DELEGATION": "false"}}',
    )
    (change,) = changed(old, tmp_path, Cni=addon)
    assert change.category == "add-on"
    (field,) = change.fields
    assert field.path == "ConfigurationValues.env.ENABLE_PREFIX_DELEGATION"
    assert change.replaced_by == ()


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


def test_a_renamed_virtual_cluster_is_known_to_be_replaced(old: Path, tmp_path: Path) -> None:
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
    assert "1 known to be replaced" in output.output


def test_pools_of_all_zones_are_shown_once(old: Path, tmp_path: Path) -> None:
    critical, *others = DEFAULT_WORKLOADS
    limits = Limits(cpu=Cpu.cores(96), memory=Memory.from_gib(800))
    pools = assemblies.pools([replace(critical, driver_limits=limits), *others])
    changed(old, tmp_path, Pools=pools)
    output = CliRunner().invoke(main, ["diff", str(old), str(tmp_path)]).output
    assert output.count("spec.limits.cpu: 200 -> 96") == 1
    assert "critical-driver-us-east-1c" in output


def test_a_pod_template_is_told_by_field(old: Path, tmp_path: Path) -> None:
    new = tmp_path / "new"
    assemblies.write(new, {"Platform": assemblies.platform()})
    (new / "pod-templates").mkdir()
    (new / "pod-templates" / "critical-driver.yaml").write_text("kind: Pod\n")
    (change,) = compared(old, new)
    assert (change.category, change.name, change.action) == (
        "pod template",
        "critical-driver",
        "added",
    )


def test_json_has_every_field(old: Path, tmp_path: Path) -> None:
    changed(old, tmp_path, **assemblies.tenant(cpu="800"))
    result = CliRunner().invoke(main, ["diff", str(old), str(tmp_path), "--json"])
    (change,) = json.loads(result.output)["changes"]
    assert change["fields"][0]["new"] == "800"


def test_a_removed_stack_is_told_once(old: Path, tmp_path: Path) -> None:
    more = {
        "Platform": assemblies.platform(),
        "Other": {"Resources": {"Queue": assemblies.resource("AWS::SQS::Queue")}},
    }
    (change,) = compared(assemblies.write(tmp_path, more), old)
    assert (change.category, change.name, change.action) == ("stack", "Other", "removed")


@pytest.mark.parametrize(
    ("old_value", "new_value", "expected"),
    [
        ({"a": [{"name": "x", "v": 1}, {"name": "y"}]}, {"a": [{"name": "y"}]}, ["a[x]"]),
        ({"a": [{"key": "k", "v": 1}]}, {"a": [{"key": "k", "v": 2}]}, ["a[k].v"]),
        ({"a": [{"v": 1}, {"v": 2}]}, {"a": [{"v": 1}, {"v": 3}]}, ["a[1].v"]),
        ({"a": {"k.x/y": 1}}, {"a": {}}, ["a[k.x/y]"]),
        ({"a": ["x", "y"]}, {"a": ["y", "x"]}, ["a"]),
        ({"a": {"b": 1}}, {"a": "text"}, ["a"]),
        ({"a": 1}, {"a": 1}, []),
    ],
)
def test_paths_name_what_differs(old_value: object, new_value: object, expected: list[str]) -> None:
    assert [change.path for change in changes(old_value, new_value)] == expected


@pytest.mark.parametrize("kind", sorted(REPLACING))
def test_replacement_is_what_cloudformation_says(kind: str) -> None:
    schema = PROVIDER_SCHEMA_MANAGER.get_resource_schema("us-east-1", kind).schema
    create_only = {path.removeprefix("/properties/") for path in schema["createOnlyProperties"]}
    assert REPLACING[kind] <= create_only


def test_pools_of_a_removed_workload_stay_in_the_cluster_and_that_is_said(
    old: Path, tmp_path: Path
) -> None:
    pools = assemblies.pools(DEFAULT_WORKLOADS[:2])
    assemblies.write(tmp_path, {"Platform": assemblies.platform(Pools=pools)})
    answer = CliRunner().invoke(main, ["diff", str(old), str(tmp_path)]).output
    (line,) = (line for line in answer.splitlines() if "kubectl delete nodepool" in line)
    assert {name.rpartition("-us-")[0] for name in line.split()[3:]} == {
        "notebook-driver",
        "notebook-executor-spot",
        "notebook-executor-on-demand",
    }


def test_what_goes_with_its_resource_is_not_left_behind(old: Path, tmp_path: Path) -> None:
    found = dict(assemblies.tenant())
    assemblies.write(tmp_path, {"Platform": {"Resources": {**assemblies.cluster(), **found}}})
    answer = CliRunner().invoke(main, ["diff", str(old), str(tmp_path)]).output
    assert "- notebook-driver-us-east-1a" in answer
    assert "kubectl delete" not in answer
