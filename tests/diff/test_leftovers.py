"""What stays in the cluster after a deployment, and the commands that take it away."""

from __future__ import annotations

from pathlib import Path

from click.testing import CliRunner

from cdk_emr_eks.cli import main
from cdk_emr_eks.spec.workloads.catalog import DEFAULT_WORKLOADS
from tests.cli import assemblies


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
