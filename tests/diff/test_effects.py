"""What a user is shown to follow from a change: of namespaces, virtual clusters, logs, stacks."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from cdk_emr_eks.assembly import reader
from cdk_emr_eks.cli import main
from tests.cli import assemblies
from tests.diff.comparing import changed, compared, printed


def with_properties(name: str, resource: Mapping[str, object], **properties: object) -> Any:
    """Return a resource with some of its properties changed."""
    inside: Any = resource["Properties"]
    return {name: {**resource, "Properties": {**inside, **properties}}}


def test_a_virtual_cluster_of_another_namespace_is_replaced_and_its_jobs_are_shown_of(
    old: Path, tmp_path: Path
) -> None:
    vc = assemblies.tenant()["analyticsVc"]
    provider = {"Type": "EKS", "Id": "c", "Info": {"EksInfo": {"Namespace": "elsewhere"}}}
    found = changed(old, tmp_path, **with_properties("analyticsVc", vc, ContainerProvider=provider))
    (change,) = (each for each in found if each.replaced_by)
    assert change.refused == ()
    assert change.effects[0] == "a new id, which job submitters must use"
    assert "TERMINATING until it is gone" in change.effects[1]


def log_group(name: str, **policies: str) -> dict[str, Mapping[str, object]]:
    return {"Logs": {**assemblies.resource("AWS::Logs::LogGroup", LogGroupName=name), **policies}}


@pytest.mark.parametrize(
    ("policy", "effect"),
    [
        ({}, "deleted with its records: UpdateReplacePolicy does not retain it"),
        (
            {"DeletionPolicy": "Retain"},
            "deleted with its records: UpdateReplacePolicy does not retain it",
        ),
        (
            {"UpdateReplacePolicy": "Retain"},
            "kept in the account with its records (UpdateReplacePolicy: Retain)",
        ),
    ],
    ids=["no policy", "the other policy", "retained"],
)
def test_a_replaced_log_group_is_deleted_or_kept(
    tmp_path: Path, policy: dict[str, str], effect: str
) -> None:
    folders = [
        assemblies.write(
            tmp_path / name, {"S": assemblies.platform(**log_group(f"/{name}", **policy))}
        )
        for name in ("old", "new")
    ]
    (change,) = compared(*folders)
    assert (change.replaced_by, change.effects) == (("LogGroupName",), (effect,))


def test_a_changed_deletion_policy_is_shown(tmp_path: Path) -> None:
    before = assemblies.platform(**log_group("/a", DeletionPolicy="Retain"))
    after = assemblies.platform(**log_group("/a", DeletionPolicy="Delete"))
    (change,) = compared(
        assemblies.write(tmp_path / "old", {"S": before}),
        assemblies.write(tmp_path / "new", {"S": after}),
    )
    assert [field.path for field in change.fields] == ["DeletionPolicy"]
    assert change.effects == ()


def test_any_retained_resource_is_said_to_stay(old: Path, tmp_path: Path) -> None:
    bucket = {**assemblies.resource("AWS::S3::Bucket"), "DeletionPolicy": "RetainExceptOnCreate"}
    changed(old, tmp_path, Bucket=bucket)
    (change,) = compared(tmp_path, old)
    assert change.effects == ("kept in the account (DeletionPolicy: RetainExceptOnCreate)",)


def test_a_replaced_cluster_takes_what_runs_on_it(old: Path, tmp_path: Path) -> None:
    eks = assemblies.resource("AWS::EKS::Cluster", Name="other", Version="1.36")
    (change,) = changed(old, tmp_path, Cluster1234=eks)
    assert change.effects == (
        "a new cluster; the old one is deleted with everything that runs on it",
    )


@pytest.mark.parametrize("retain", [False, True])
def test_a_removed_stack_is_not_deleted_by_cdk(tmp_path: Path, retain: bool) -> None:
    policy = {"DeletionPolicy": "Retain"} if retain else {}
    tenants = {"Resources": {**assemblies.tenant("science"), **log_group("/science", **policy)}}
    stacks = {"Platform": assemblies.platform(), "Tenants": tenants}
    before = assemblies.write(tmp_path / "old", stacks)
    manifest = json.loads((before / "manifest.json").read_text())
    manifest["artifacts"]["Tenants"]["dependencies"] = ["Platform", "Tenants.assets"]
    (before / "manifest.json").write_text(json.dumps(manifest))
    after = assemblies.write(tmp_path / "new", {"Platform": stacks["Platform"]})
    found = compared(before, after)
    assert [(each.category, each.name) for each in found] == [
        ("stack", "Tenants"),
        ("tenant", "science"),
    ]
    first, jobs, logs = found[0].effects
    assert "'aws cloudformation delete-stack --stack-name Tenants', before Platform" in first
    assert "jobs" in jobs
    assert logs == (
        "kept in the account after that (DeletionPolicy: Retain): 1 AWS::Logs::LogGroup"
        if retain
        else "deleted with their records: 1 AWS::Logs::LogGroup"
    )
    assert "is deleted with its stack, and so is 1 ResourceQuota" in found[1].effects[0]


def test_a_renamed_namespace_is_shown_by_what_changed(old: Path, tmp_path: Path) -> None:
    manifest: Any = assemblies.tenant()["analyticsObjects"]
    text = json.dumps(manifest).replace('\\"namespace\\": \\"analytics', '\\"namespace\\": \\"data')
    renamed = json.loads(text.replace('\\"name\\": \\"analytics', '\\"name\\": \\"data'))
    resources = {**assemblies.tenant(), "analyticsObjects": renamed}
    provider = {"Type": "EKS", "Id": "c", "Info": {"EksInfo": {"Namespace": "data"}}}
    resources |= with_properties(
        "analyticsVc", resources["analyticsVc"], ContainerProvider=provider
    )
    changed(old, tmp_path, **resources)
    text = printed(old, tmp_path)
    tenant = text.partition("IAM")[0].partition("Resource\n")[0]
    assert "      namespace: analytics -> data\n" in tenant
    assert "{" not in tenant
    assert "metadata" not in tenant
    assert text.endswith(
        "  kubectl delete namespace analytics  # deletes 1 ResourceQuota, and everything else in "
        "it\n"
    )


def test_a_whole_object_of_a_tenant_is_no_page_of_json(old: Path, tmp_path: Path) -> None:
    manifest: Any = assemblies.tenant()["analyticsObjects"]
    quota = '{"apiVersion": "v1", "kind": "LimitRange", "metadata": {"name": "l", "namespace": '
    joined = manifest["Properties"]["Manifest"]["Fn::Join"][1]
    text = joined[-1].rstrip("]") + f', {quota}"analytics"}}}}]'
    changes = {"Manifest": {"Fn::Join": ["", [*joined[:-1], text]]}}
    (change,) = changed(old, tmp_path, **with_properties("analyticsObjects", manifest, **changes))
    assert change.fields[0].new == {
        "apiVersion": "v1",
        "kind": "LimitRange",
        "metadata": {"name": "l"},
    }
    assert "      LimitRange l: + whole object\n" in printed(old, tmp_path)
    assert "      LimitRange l: - whole object\n" in printed(tmp_path, old)


def test_hashes_of_assets_are_shown_short(old: Path, tmp_path: Path) -> None:
    found = []
    for letter in "ab":
        layer = assemblies.resource("AWS::Lambda::LayerVersion", Key=f"{letter * 64}.zip")
        stack = assemblies.platform(Layer=layer)
        found.append(assemblies.write(tmp_path / letter, {"Platform": stack}))
    assert "Key: aaaaaaaa....zip -> bbbbbbbb....zip\n" in printed(*found)


def test_each_file_of_both_assemblies_is_read_once(
    old: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    changed(old, tmp_path, **assemblies.tenant(cpu="300"))
    read: list[Path] = []
    original = reader._read

    def counted(path: Path) -> Mapping[str, object]:
        read.append(path)
        return original(path)

    monkeypatch.setattr(reader, "_read", counted)
    result = CliRunner().invoke(main, ["diff", str(old), str(tmp_path)])
    assert result.exit_code == 0
    assert sorted(read) == sorted(
        folder / name
        for folder in (old, tmp_path)
        for name in ("manifest.json", "Platform.template.json")
    )
