"""``emr-eks diff``: one value is changed, and the difference shows exactly that."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

from click.testing import CliRunner

from cdk_emr_eks.cli import main
from cdk_emr_eks.diff.change import FieldChange
from cdk_emr_eks.model.workloads.catalog import DEFAULT_WORKLOADS
from cdk_emr_eks.model.workloads.shapes import NodePoolLimits
from cdk_emr_eks.units import Cpu, Memory
from tests.cli import assemblies
from tests.diff.comparing import changed, compared


def test_nothing_changes(old: Path, tmp_path: Path) -> None:
    assert changed(old, tmp_path) == ()
    output = CliRunner().invoke(main, ["diff", str(old), str(tmp_path), "--exit-code"])
    assert (output.exit_code, output.output.strip()) == (0, "Nothing changes.")


def test_a_limit_is_shown_for_each_pool_it_changes(old: Path, tmp_path: Path) -> None:
    critical, shared, notebook = DEFAULT_WORKLOADS
    limits = NodePoolLimits(cpu=Cpu.cores(640), memory=shared.driver_limits.memory)
    pools = assemblies.pools([critical, replace(shared, driver_limits=limits), notebook])
    found = changed(old, tmp_path, Pools=pools)
    assert {change.name for change in found} == {f"shared-driver-us-east-1{zone}" for zone in "abc"}
    before = shared.driver_limits.cpu.kubernetes
    field = FieldChange(path="spec.limits.cpu", old=before, new="640")
    assert {change.fields for change in found} == {(field,)}


def test_a_quota_is_shown_as_the_tenants(old: Path, tmp_path: Path) -> None:
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


def test_a_chart_version_and_a_value_are_shown(old: Path, tmp_path: Path) -> None:
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


def test_configuration_of_an_add_on_is_shown_by_field(old: Path, tmp_path: Path) -> None:
    addon = assemblies.resource(
        "AWS::EKS::Addon",
        ClusterName=assemblies.CLUSTER,
        AddonName="vpc-cni",
        AddonVersion="v1.21.1-eksbuild.1",
        ConfigurationValues='{"env": {"ENABLE_PREFIX_DELEGATION": "false"}}',
    )
    (change,) = changed(old, tmp_path, Cni=addon)
    assert change.category == "add-on"
    (field,) = change.fields
    assert field.path == "ConfigurationValues.env.ENABLE_PREFIX_DELEGATION"
    assert change.replaced_by == ()


def test_pools_of_all_zones_are_shown_once(old: Path, tmp_path: Path) -> None:
    critical, *others = DEFAULT_WORKLOADS
    limits = NodePoolLimits(cpu=Cpu.cores(96), memory=Memory.from_gib(800))
    pools = assemblies.pools([replace(critical, driver_limits=limits), *others])
    changed(old, tmp_path, Pools=pools)
    output = CliRunner().invoke(main, ["diff", str(old), str(tmp_path)]).output
    assert output.count("spec.limits.cpu: 200 -> 96") == 1
    assert "critical-driver-us-east-1c" in output


def test_a_pod_template_is_shown_by_field(old: Path, tmp_path: Path) -> None:
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


def test_a_removed_stack_is_shown_once(old: Path, tmp_path: Path) -> None:
    more = {
        "Platform": assemblies.platform(),
        "Other": {"Resources": {"Queue": assemblies.resource("AWS::SQS::Queue")}},
    }
    (change,) = compared(assemblies.write(tmp_path, more), old)
    assert (change.category, change.name, change.action) == ("stack", "Other", "removed")
