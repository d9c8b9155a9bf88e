"""``emr-eks plan``: what it reads out of an assembly, and how it shows it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from cdk_emr_eks.cli import main
from cdk_emr_eks.labels import SparkRole
from cdk_emr_eks.model.instances.instances import Instances
from cdk_emr_eks.model.networks.network import NetworkSpec
from cdk_emr_eks.model.workloads.catalog import DEFAULT_WORKLOADS
from cdk_emr_eks.model.workloads.executor_size import executor_size
from cdk_emr_eks.model.workloads.workload import Workload
from cdk_emr_eks.plan import Plan
from cdk_emr_eks.plan.pools import chosen_families
from tests.cli import assemblies

WARNING = {"type": "aws:cdk:warning", "data": "careful [ack: x]", "trace": ["somewhere"]}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    tenants = {**assemblies.tenant("data-science", irsa=True), **assemblies.tenant("marketing")}
    return assemblies.write(
        tmp_path_factory.mktemp("assembly"),
        {"Platform": assemblies.platform(), "Tenants": {"Resources": tenants}},
        {"/Platform/Pools": [WARNING, {"type": "aws:cdk:logicalId", "data": "Pools"}]},
    )


@pytest.fixture(scope="module")
def plan(folder: Path) -> Plan:
    return assemblies.plan_of(folder)


def test_stacks_are_counted(plan: Plan, folder: Path) -> None:
    platform, tenants = plan.stacks
    assert (platform.name, platform.lambdas, platform.iam_roles) == ("Platform", 1, 2)
    # Manifests of pools and of one tenant, and one chart.
    assert platform.kubernetes_resources == 3
    assert platform.template_bytes == (folder / "Platform.template.json").stat().st_size
    assert (tenants.name, tenants.resources, tenants.kubernetes_resources) == ("Tenants", 9, 2)


def test_pools_are_those_of_the_manifests(plan: Plan) -> None:
    pool = next(p for p in plan.pools if p.name == "shared-executor-spot-us-east-1b")
    shared = DEFAULT_WORKLOADS[1]
    assert (pool.workload, pool.role) == ("shared", SparkRole.EXECUTOR)
    assert (pool.zones, pool.capacity_types, pool.architectures) == (
        ("us-east-1b",),
        ("spot",),
        ("arm64",),
    )
    assert pool.families == shared.executor_instances.families
    assert pool.limits == {
        "cpu": shared.executor_limits.cpu.kubernetes,
        "memory": shared.executor_limits.memory.kubernetes,
    }
    assert pool.weight > next(
        p.weight for p in plan.pools if p.name == "shared-executor-on-demand-us-east-1b"
    )


def test_the_pool_that_never_has_a_node_is_no_capacity(plan: Plan) -> None:
    assert {pool.workload for pool in plan.pools} == {each.name for each in DEFAULT_WORKLOADS}


def test_families_that_may_be_chosen_are_shown_unless_any_may(plan: Plan) -> None:
    every = {
        family
        for each in DEFAULT_WORKLOADS
        for family in (*each.executor_instances.families, *each.driver_instances.families)
    }
    assert chosen_families(plan.pools) == tuple(sorted(every))
    assert chosen_families((*plan.pools, replace(plan.pools[0], families=()))) == ()


@pytest.mark.parametrize("workload", DEFAULT_WORKLOADS, ids=lambda each: each.name)
def test_instance_types_are_counted_as_the_spec_counts_them(plan: Plan, workload: Workload) -> None:
    for role in SparkRole:
        expected = len(workload.instances(role).types())
        counts = {
            p.instance_types for p in plan.pools if (p.workload, p.role) == (workload.name, role)
        }
        assert counts == {expected}


@pytest.mark.parametrize("workload", DEFAULT_WORKLOADS, ids=lambda each: each.name)
def test_packing_read_from_outputs_agrees_with_the_spec(plan: Plan, workload: Workload) -> None:
    shape = executor_size(workload)
    packing = next(p for p in plan.packing if p.workload == workload.name)
    assert packing.cpu == shape.request_cores.kubernetes
    assert packing.memory == shape.pod_memory.kubernetes
    assert {name: pods for name, (pods, _) in packing.by_size.items()} == dict(shape.pods)
    for name, (_, share) in packing.by_size.items():
        assert share == pytest.approx(shape.packing[name], abs=1e-4)


def test_pods_of_a_zone_agree_with_the_network_spec(plan: Plan) -> None:
    assert [zone.zone for zone in plan.zones] == ["us-east-1a", "us-east-1b", "us-east-1c"]
    assert {zone.pods for zone in plan.zones} == {NetworkSpec().pods_per_zone()}


def test_components_have_versions_or_say_that_they_have_none(plan: Plan) -> None:
    found = {(item.kind, item.name): item.version for item in plan.components}
    assert found == {
        ("Kubernetes", "emr-on-eks"): "1.36",
        ("EKS add-on", "vpc-cni"): "v1.21.1-eksbuild.1",
        ("EKS add-on", "coredns"): "not pinned",
        ("Helm chart", "karpenter"): "1.14.1",
    }


def test_tenants_have_quota_virtual_cluster_and_roles(plan: Plan) -> None:
    analytics, science, marketing = plan.tenants
    assert analytics.virtual_clusters == ("analytics-vc",)
    assert analytics.quota == {
        "requests.cpu": "400",
        "requests.memory": "1600Gi",
        "pods": "500",
    }
    assert [(r.name, r.access) for r in analytics.roles] == [("emr-analytics", "Pod Identity")]
    assert [(r.name, r.access) for r in science.roles] == [("emr-data-science", "IRSA")]
    assert (science.stack, marketing.namespace) == ("Tenants", "marketing")


def test_warnings_of_constructs_are_shown(plan: Plan) -> None:
    assert [(m.level, m.where, m.text) for m in plan.messages] == [
        ("warning", "Platform/Pools", "careful [ack: x]")
    ]


def test_zones_as_tokens_are_shown_by_position(tmp_path: Path) -> None:
    zone = '"zones-token"'
    text = json.dumps(
        [
            {
                "kind": "NodePool",
                "metadata": {"name": "own"},
                "spec": {
                    "template": {
                        "spec": {
                            "requirements": [
                                {
                                    "key": "topology.kubernetes.io/zone",
                                    "operator": "In",
                                    "values": ["zones-token"],
                                },
                                {"key": "karpenter.k8s.aws/instance-cpu", "operator": "Gt"},
                            ]
                        }
                    }
                },
            }
        ]
    )
    before, after = text.split(zone)
    parts = [f'{before}"', assemblies.AGNOSTIC, f'"{after}']
    resource = assemblies.resource(
        "Custom::AWSCDK-EKS-KubernetesResource", Manifest={"Fn::Join": ["", parts]}
    )
    assemblies.write(tmp_path, {"S": {"Resources": {"Pools": resource}}})
    (pool,) = assemblies.plan_of(tmp_path).pools
    assert pool.zones == ("zone-2",)
    # A requirement that the table of families cannot answer: no number rather than a wrong one.
    assert pool.instance_types is None


def test_a_spot_pool_with_few_types_is_warned_of(tmp_path: Path) -> None:
    few = Instances(families=("m6gd", "m7gd"), sizes=("4xlarge", "8xlarge"))
    from_shared = DEFAULT_WORKLOADS[1]
    small = Workload(
        name="few",
        driver_instances=from_shared.driver_instances,
        executor_instances=few,
        executor_capacity=from_shared.executor_capacity,
        storage=from_shared.storage,
    )
    assemblies.write(tmp_path, {"S": {"Resources": {"Pools": assemblies.pools([small])}}})
    texts = {m.text for m in assemblies.plan_of(tmp_path).messages}
    assert texts == {"spot pool with 4 instance types; 15 or more are advised"}


@pytest.mark.parametrize(("count", "level"), [(450, None), (451, "warning"), (501, "error")])
def test_a_stack_near_the_limit_is_shown(tmp_path: Path, count: int, level: str | None) -> None:
    queues = {f"Q{n}": assemblies.resource("AWS::SQS::Queue") for n in range(count - 1)}
    cluster = assemblies.resource("AWS::EKS::Cluster", Version="1.36")
    assemblies.write(tmp_path, {"S": {"Resources": {"Cluster": cluster, **queues}}})
    levels = [m.level for m in assemblies.plan_of(tmp_path).messages if "resources" in m.text]
    assert levels == ([level] if level else [])


def test_a_large_template_is_shown(tmp_path: Path) -> None:
    cluster = assemblies.resource("AWS::EKS::Cluster", Version="1.36", Padding="x" * 900_000)
    assemblies.write(tmp_path, {"S": {"Resources": {"Cluster": cluster}}})
    assert any("bytes of template" in m.text for m in assemblies.plan_of(tmp_path).messages)


def test_a_manifest_that_is_no_json_is_shown_and_the_rest_is_read(tmp_path: Path) -> None:
    broken = assemblies.resource(
        "Custom::AWSCDK-EKS-KubernetesResource",
        Manifest={"Fn::Join": ["", ['[{"replicas":', {"Ref": "N"}, "}]"]]},
    )
    resources = {"Broken": broken, "Pools": assemblies.pools()}
    found = assemblies.plan_of(assemblies.write(tmp_path, {"S": {"Resources": resources}}))
    assert len(found.pools) == 24
    assert any("Broken cannot be read" in m.text for m in found.messages)


def test_stages_and_nested_stacks_are_read(tmp_path: Path) -> None:
    inner = assemblies.write(
        tmp_path / "assembly-Prod", {"Prod-Tenants": {"Resources": assemblies.tenant()}}
    )
    nested = {"Resources": {"Pools": assemblies.pools()}}
    (inner / "N.nested.template.json").write_text(json.dumps(nested))
    path = inner / "Prod-Tenants.template.json"
    template = json.loads(path.read_text())
    template["Resources"]["Child"] = {
        "Type": "AWS::CloudFormation::Stack",
        "Metadata": {"aws:asset:path": "N.nested.template.json"},
    }
    path.write_text(json.dumps(template))
    stage = {"type": "cdk:cloud-assembly", "properties": {"directoryName": "assembly-Prod"}}
    (tmp_path / "manifest.json").write_text(json.dumps({"artifacts": {"assembly-Prod": stage}}))
    found = assemblies.plan_of(tmp_path)
    assert [stack.name for stack in found.stacks] == ["Prod-Tenants", "Prod-Tenants / N"]
    assert len(found.pools) == 24


def run(*arguments: str, columns: int | None = None) -> str:
    env = {"COLUMNS": str(columns)} if columns else {}
    result = CliRunner(env=env).invoke(main, list(arguments))
    assert result.exit_code == 0, result.output
    return result.output


@pytest.mark.parametrize("columns", [80, 100, 140])
def test_tables_fit_the_terminal(folder: Path, columns: int) -> None:
    lines = run("plan", str(folder), columns=columns).splitlines()
    assert max(map(len, lines)) <= columns
    # One row for a pool of each zone, whole at any width.
    rows = [words for words in map(str.split, lines) if words[:2] == ["shared", "executor"]]
    assert rows[0][:4] == ["shared", "executor", "spot", "arm64"]
    assert rows[0][-3:] == ["a", "b", "c"]


def test_piped_output_is_plain(folder: Path) -> None:
    output = run("plan", str(folder))
    assert "\x1b" not in output
    assert all(line == line.rstrip() for line in output.splitlines())
    assert "careful [ack: x]" in output


def test_json_is_the_whole_plan(folder: Path, plan: Plan) -> None:
    found = json.loads(run("plan", str(folder), "--json"))
    assert list(found) == [
        "stacks",
        "clusters",
        "components",
        "zones",
        "pools",
        "packing",
        "capacity_buffers",
        "tenants",
        "studios",
        "endpoints",
        "messages",
    ]
    assert len(found["pools"]) == len(plan.pools)
    assert found["tenants"][0]["roles"] == [{"name": "emr-analytics", "access": "Pod Identity"}]


def refused(*arguments: str) -> str:
    result = CliRunner().invoke(main, list(arguments))
    assert result.exit_code == 1
    return result.output


def test_a_missing_folder_is_refused(tmp_path: Path) -> None:
    output = refused("plan", str(tmp_path / "none"))
    assert "There is no folder" in output
    assert "run 'cdk synth' first" in output


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "it has no manifest.json"),
        ("{", "is not JSON"),
        ("[]", "must hold a JSON object"),
        ('{"version": "55.0.0", "artifacts": {}}', "has no stack"),
    ],
)
def test_a_folder_that_is_no_assembly_is_refused(
    tmp_path: Path, content: str | None, message: str
) -> None:
    if content is not None:
        (tmp_path / "manifest.json").write_text(content)
    assert message in refused("plan", str(tmp_path))


def test_an_app_without_a_platform_has_a_plan_of_its_stacks(tmp_path: Path) -> None:
    template = {"Resources": {"Queue": assemblies.resource("AWS::SQS::Queue")}}
    output = run("plan", str(assemblies.write(tmp_path, {"S": template})))
    assert "S              1" in output
    assert "warning: the assembly has no network, EKS cluster, node pool or" in output


def test_an_app_with_only_a_network_has_a_plan_of_it(tmp_path: Path) -> None:
    assemblies.write(tmp_path, {"Network": {"Resources": assemblies.network()}})
    output = run("plan", str(tmp_path))
    assert "us-east-1a  10,560" in output
    assert "Warnings\nnone" in output


def test_an_app_with_only_a_virtual_cluster_has_a_plan_of_it(tmp_path: Path) -> None:
    virtual_cluster = assemblies.resource(
        "AWS::EMRContainers::VirtualCluster",
        Name="team-a",
        ContainerProvider={"Id": "existing", "Info": {"EksInfo": {"Namespace": "a"}}},
    )
    assemblies.write(tmp_path, {"S": {"Resources": {"Vc": virtual_cluster}}})
    (tenant,) = assemblies.plan_of(tmp_path).tenants
    assert (tenant.cluster, tenant.namespace) == ("existing", "a")
    assert "team-a (virtual cluster)" in run("plan", str(tmp_path))


def test_a_template_that_is_gone_is_refused(tmp_path: Path) -> None:
    assemblies.write(tmp_path, {"S": {"Resources": {}}})
    (tmp_path / "S.template.json").unlink()
    assert "lacks the file" in refused("plan", str(tmp_path))
