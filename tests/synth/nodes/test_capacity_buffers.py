"""Capacity buffers in templates: custom resources, Karpenter's feature gate, and the plan."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from io import StringIO
from typing import Any, Final

import aws_cdk as cdk
import pytest
from rich.console import Console

from cdk_emr_eks import (
    CRITICAL,
    SHARED,
    CapacityBuffers,
    ConfigError,
    EmrEksCluster,
    ImportedEmrEksCluster,
    ImportedPlatform,
    Karpenter,
    NodeEnvironment,
    Platform,
    Tenant,
    Zone,
)
from cdk_emr_eks.assembly import open_assembly
from cdk_emr_eks.plan.model import Plan
from cdk_emr_eks.plan.reader import read_plan
from cdk_emr_eks.plan.render import print_plan
from tests.synth.platforms.platform_parts import Resources, needs
from tests.unit.nodes.test_dedicated import dedicated

WARM: Final = replace(
    CRITICAL, capacity_buffers=CapacityBuffers(jobs=2, executors=8, zones=("zone-1", "zone-3"))
)
OWN: Final = replace(SHARED, name="acme", capacity_buffers=CapacityBuffers(executors=3))
ELSEWHERE: Final = NodeEnvironment(
    cluster_name="elsewhere",
    zones=(Zone.named("eu-west-1a"),),
    role="KarpenterNodeRole-elsewhere",
    subnets=({"tags": {"karpenter.sh/discovery": "elsewhere"}},),
    security_groups=({"tags": {"aws:eks:cluster-name": "elsewhere"}},),
)


@dataclass(frozen=True)
class Synthesis:
    """A platform, and a tenant with dedicated capacity buffers in another stack."""

    stacks: Mapping[str, Resources]
    plan: Plan

    def manifest(self, stack: str, part: str) -> tuple[str, Mapping[str, Any]]:
        """The custom resource of a stage, with its logical id."""
        ((id_, found),) = (
            (id_, each)
            for id_, each in self.stacks[stack].items()
            if part in id_ and each["Type"] == "Custom::AWSCDK-EKS-KubernetesResource"
        )
        return id_, found

    def objects(self, stack: str, part: str) -> list[dict[str, Any]]:
        text = self.manifest(stack, part)[1]["Properties"]["Manifest"]
        parts = [text] if isinstance(text, str) else text["Fn::Join"][1]
        found: list[dict[str, Any]] = json.loads(
            "".join(each if isinstance(each, str) else "token" for each in parts)
        )
        return found


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Synthesis:
    folder = tmp_path_factory.mktemp("warm")
    app = cdk.App(outdir=str(folder), analytics_reporting=False)
    cluster = EmrEksCluster(
        cdk.Stack(app, "Platform"), "Cluster", platform=Platform(workloads=(WARM, SHARED))
    )
    own = Tenant(name="acme", dedicated=(dedicated(OWN),))
    cluster.add_tenant(own, scope=cdk.Stack(app, "Acme"))
    assembly = app.synth()
    stacks = {each.stack_name: each.template["Resources"] for each in assembly.stacks}
    return Synthesis(stacks, read_plan(open_assembly(folder)))


def counts(objects: list[dict[str, Any]]) -> dict[str, int]:
    return {
        each["metadata"]["name"]: each["spec"]["replicas"]
        for each in objects
        if each["kind"] == "CapacityBuffer"
    }


def test_buffers_are_a_separate_resource_after_the_pools(made: Synthesis) -> None:
    assert counts(made.objects("Platform", "Warmcritical")) == {
        f"warm-critical-{pod}-zone-{number}": 0 if number == 2 else count
        for number in (1, 2, 3)
        for pod, count in (("submitter", 2), ("driver", 2), ("executor", 8))
    }
    pools, _ = made.manifest("Platform", "Capacity")
    warm, _ = made.manifest("Platform", "Warmcritical")
    assert pools in needs(made.stacks["Platform"], warm)
    # A workload without buffers has no resource that could be left behind.
    assert not [each for each in made.stacks["Platform"] if "Warmshared" in each]


def test_karpenter_keeps_buffers_where_a_workload_needs_them(made: Synthesis) -> None:
    ((_, chart),) = (
        (id_, each)
        for id_, each in made.stacks["Platform"].items()
        if each["Type"] == "Custom::AWSCDK-EKS-HelmChart" and "featureGates" in json.dumps(each)
    )
    assert r"\"capacityBuffer\":true" in json.dumps(chart)


def test_dedicated_pools_can_have_buffers_too(made: Synthesis) -> None:
    found = counts(made.objects("Acme", "Warmacme"))
    assert found == {
        f"warm-acme-{pod}-zone-{number}": count
        for number in (1, 2, 3)
        for pod, count in (("submitter", 0), ("driver", 0), ("executor", 3))
    }
    pools, _ = made.manifest("Acme", "Capacity")
    _, warm = made.manifest("Acme", "Warmacme")
    assert pools in warm["DependsOn"]


def test_the_plan_says_what_room_costs_in_nodes(made: Synthesis) -> None:
    rows = {(each.workload, each.role, each.zone): each for each in made.plan.capacity_buffers}
    zones = {zone for _, _, zone in rows}
    assert len(zones) == 3
    of_critical = [each for each in made.plan.capacity_buffers if each.workload == "critical"]
    assert {(each.role, each.replicas) for each in of_critical} == {("driver", 2), ("executor", 8)}
    assert len(of_critical) == 4, "two zones"
    drivers = next(each for each in of_critical if each.role == "driver")
    # Two drivers of four cores fill a 2xlarge, and the submitters need another.
    assert drivers.nodes == {
        f"{family}.{size}": count
        for family in ("m6g", "m7g", "m8g")
        for size, count in (("2xlarge", 2), ("4xlarge", 1))
    }
    executors = next(each for each in of_critical if each.role == "executor")
    assert executors.nodes["m7gd.4xlarge"] == 4
    assert executors.nodes["m7gd.8xlarge"] == 2
    assert executors.nodes["m7gd.16xlarge"] == 1
    own = [each for each in made.plan.capacity_buffers if each.workload == "acme"]
    assert [(each.stack, each.role, each.replicas) for each in own] == [("Acme", "executor", 3)] * 3


@pytest.mark.parametrize("columns", [80, 120])
def test_the_plan_prints_it(made: Synthesis, columns: int) -> None:
    text = StringIO()
    print_plan(made.plan, Console(file=text, width=columns))
    lines = text.getvalue().splitlines()
    assert max(map(len, lines)) <= columns
    first = next(
        line.split()
        for line in lines[lines.index("Capacity buffers") :]
        if line.startswith("critical  driver")
    )
    # Where there is no room for the whole line, it breaks; nothing is cut off.
    assert first[:8] == ["critical", "driver", "2", "9420m", "29510Mi", "2", "2xlarge", "or"]
    assert first[-2:] == ["zone-1", "zone-3"]


def test_dedicated_pools_with_buffers_need_a_cluster_that_supports_them() -> None:
    app = cdk.App()
    cluster = EmrEksCluster(
        cdk.Stack(app, "Platform"), "Cluster", platform=Platform(workloads=(SHARED,))
    )
    stack = cdk.Stack(app, "Acme")
    with pytest.raises(ConfigError) as refused:
        cluster.add_tenant(Tenant(name="acme", dedicated=(dedicated(OWN),)), scope=stack)
    assert str(refused.value) == (
        "Tenant 'acme': dedicated must have no capacity_buffers: the cluster's Karpenter does not "
        "support them, got 'acme'; "
        "Karpenter(feature_gates=FeatureGates(capacity_buffer=True)) on the cluster."
    )
    assert not stack.node.children


@pytest.mark.parametrize("buffers", [False, True])
def test_an_imported_cluster_must_say_that_its_karpenter_keeps_buffers(buffers: bool) -> None:
    stack = cdk.Stack(cdk.App(), "Stack")
    nodes = replace(ELSEWHERE, capacity_buffers=buffers)

    def make() -> ImportedEmrEksCluster:
        return ImportedEmrEksCluster.from_cluster_attributes(
            stack,
            "Cluster",
            kubectl_service_token="arn:aws:lambda:eu-west-1:111122223333:function:kubectl",
            platform=ImportedPlatform(
                cluster_name="elsewhere",
                workloads=(replace(SHARED, capacity_buffers=CapacityBuffers(jobs=1)),),
                nodes=nodes,
            ),
        )

    if buffers:
        context = make().context
        assert context.nodes == nodes
    else:
        with pytest.raises(ConfigError, match=r"must have no capacity_buffers: the cluster's Kar"):
            make()


def test_a_zone_that_the_platform_lacks_is_refused() -> None:
    lost = replace(SHARED, capacity_buffers=CapacityBuffers(jobs=1, zones=("us-east-1a",)))
    with pytest.raises(ConfigError, match=r"must be keys of the platform's zones \(zone-1, zone-2"):
        EmrEksCluster(
            cdk.Stack(cdk.App(), "Platform"), "Cluster", platform=Platform(workloads=(lost,))
        )


def test_options_stay_as_given() -> None:
    stack = cdk.Stack(cdk.App(), "Platform")
    platform = Platform(workloads=(WARM,), karpenter=Karpenter(replicas=3))
    first = EmrEksCluster.get_or_create(stack, platform=platform)
    again = EmrEksCluster.get_or_create(stack, platform=replace(platform))
    assert first is again
