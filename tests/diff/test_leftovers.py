"""What stays in the cluster after a deployment, and the commands that take it away."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from click.testing import CliRunner

from cdk_emr_eks.cli import main
from cdk_emr_eks.model.workloads.catalog import DEFAULT_WORKLOADS
from tests.cli import assemblies
from tests.diff.comparing import printed


def test_pools_of_a_removed_workload_stay_in_the_cluster_and_that_is_said(
    old: Path, tmp_path: Path
) -> None:
    pools = assemblies.pools(DEFAULT_WORKLOADS[:2])
    assemblies.write(tmp_path, {"Platform": assemblies.platform(Pools=pools)})
    answer = CliRunner().invoke(main, ["diff", str(old), str(tmp_path)]).output
    (line,) = (line for line in answer.splitlines() if "kubectl delete nodepool" in line)
    assert {name.rpartition("-us-")[0] for name in line.partition("  #")[0].split()[3:]} == {
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


def namespace(*names: str) -> list[Mapping[str, object]]:
    """A namespace that is no tenant's, with a role binding in it for each name."""
    bindings = (
        {"kind": "RoleBinding", "metadata": {"name": name, "namespace": "tools"}} for name in names
    )
    return [{"kind": "Namespace", "metadata": {"name": "tools"}}, *bindings]


OTHER = {"kind": "ClusterRole", "metadata": {"name": "stays"}}


def wrote(folder: Path, *objects: Mapping[str, object], **resources: Mapping[str, object]) -> Path:
    stack = assemblies.platform(Stage=assemblies.manifest(OTHER, *objects), **resources)
    return assemblies.write(folder, {"Platform": stack})


def test_a_namespace_takes_along_what_is_in_it_and_that_is_said_once(tmp_path: Path) -> None:
    before, after = wrote(tmp_path / "old", *namespace("a", "b")), wrote(tmp_path / "new")
    text = printed(before, after)
    assert text.count("RoleBinding") == 1
    assert ("- Namespace tools\n      => namespace tools stays in the cluster: see below\n") in text
    assert text.endswith(
        "Delete them after the deployment:\n"
        "  kubectl delete namespace tools  # deletes 2 RoleBinding, and everything else in it\n"
    )


def test_a_namespace_whose_resource_goes_takes_along_what_is_in_it(tmp_path: Path) -> None:
    before = wrote(tmp_path / "old", Tools=assemblies.manifest(*namespace("a")))
    text = printed(before, wrote(tmp_path / "new"))
    assert text.startswith(
        "Kubernetes object\n  - Namespace tools\n      => namespace tools is deleted with "
        "1 RoleBinding, and everything else in it, such as pods\n"
    )
    assert "kubectl" not in text


def test_a_retained_manifest_leaves_its_objects(tmp_path: Path) -> None:
    tools = {**assemblies.manifest(*namespace("a")), "DeletionPolicy": "Retain"}
    before = wrote(tmp_path / "old", Tools=tools)
    text = printed(before, wrote(tmp_path / "new"))
    assert "namespace tools stays in the cluster" in text
    assert "kubectl delete namespace tools" in text


def test_a_namespace_that_is_still_used_is_not_to_be_deleted(tmp_path: Path) -> None:
    before = wrote(tmp_path / "old", *namespace("a", "b"))
    _, *bindings = namespace("b")
    text = printed(before, wrote(tmp_path / "new", *bindings))
    assert "  - RoleBinding tools/a\n" in text
    assert text.endswith(
        "Delete them after the deployment:\n"
        "  # keep namespace tools: the app still declares objects in it\n"
        "  kubectl delete rolebinding --namespace tools a\n"
    )


def test_each_cluster_has_its_own_leftovers(tmp_path: Path) -> None:
    """An object that another cluster still has does not hide one that is left behind."""

    def write(
        folder: str, dev: list[Mapping[str, object]], prod: list[Mapping[str, object]]
    ) -> Path:
        stacks = {}
        for name, objects in (("Dev", dev), ("Prod", prod)):
            resources = {**assemblies.cluster(), "Stage": assemblies.manifest(OTHER, *objects)}
            stacks[name] = {"Resources": resources}
        return assemblies.write(tmp_path / folder, stacks)

    both = write("both", namespace("a"), namespace("a"))
    one = write("one", [], namespace("a"))
    deletion = "kubectl delete namespace tools  # deletes 1 RoleBinding, and everything else in it"
    assert printed(both, one).endswith(f"Delete them after the deployment:\n  {deletion}\n")
    none = write("none", [], [])
    assert printed(both, none).endswith(
        f"  # cluster Dev/Cluster1234\n  {deletion}\n  # cluster Prod/Cluster1234\n  {deletion}\n"
    )
