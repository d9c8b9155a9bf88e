"""``emr-eks plan`` of several clusters, and of objects that another tool wrote."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from cdk_emr_eks import labels
from cdk_emr_eks.cli import main
from tests.cli import assemblies


def stages(folder: Path) -> Path:
    """Write an assembly with the platform once for each of two accounts."""
    artifacts: dict[str, Any] = {}
    for number, stage in enumerate(("Dev", "Prod"), start=1):
        inner = folder / f"assembly-{stage}"
        cpu = str(100 * number)
        platform = {
            **assemblies.network(),
            **assemblies.cluster(),
            "Pools": assemblies.pools(),
            **assemblies.tenant(cpu=cpu),
        }
        assemblies.write(inner, {f"{stage}-Platform": {"Resources": platform}})
        manifest = json.loads((inner / "manifest.json").read_text())
        artifact = manifest["artifacts"][f"{stage}-Platform"]
        artifact["environment"] = f"aws://{str(number) * 12}/eu-west-1"
        (inner / "manifest.json").write_text(json.dumps(manifest))
        artifacts[stage] = {
            "type": "cdk:cloud-assembly",
            "properties": {"directoryName": inner.name, "displayName": stage},
        }
    (folder / "manifest.json").write_text(json.dumps({"artifacts": artifacts}))
    return folder


def test_the_plan_has_a_section_for_each_cluster(tmp_path: Path) -> None:
    plan = assemblies.plan_of(stages(tmp_path))
    assert [(each.key, each.name) for each in plan.clusters] == [
        ("Dev-Platform/Cluster1234", "emr-on-eks"),
        ("Prod-Platform/Cluster1234", "emr-on-eks"),
    ]
    for cluster, cpu in zip(plan.clusters, ("100", "200"), strict=True):
        own = plan.of_cluster(cluster.key)
        assert len(own.pools) == 24
        assert {pool.stack for pool in own.pools} == {cluster.stack}
        (tenant,) = own.tenants
        assert tenant.quota["requests.cpu"] == cpu
        assert len(own.components) == 4
    output = CliRunner().invoke(main, ["plan", str(tmp_path)]).output
    titles = [line for line in output.splitlines() if line.startswith("Cluster ")]
    assert titles == [
        "Cluster emr-on-eks (stack Dev-Platform, aws://111111111111/eu-west-1)",
        "Cluster emr-on-eks (stack Prod-Platform, aws://222222222222/eu-west-1)",
    ]
    dev, prod = output.index(titles[0]), output.index(titles[1])
    assert dev < output.index("cpu 100") < prod < output.index("cpu 200")
    assert output.count("Node pools\n") == 2


def test_clusters_of_one_stack_stay_apart(tmp_path: Path) -> None:
    def cluster(name: str, cidr: str) -> Mapping[str, Any]:
        def on(resource: Mapping[str, Any]) -> Any:
            return json.loads(json.dumps(resource).replace("Cluster1234", f"{name}Cluster"))

        subnet = assemblies.resource(
            "AWS::EC2::Subnet",
            AvailabilityZone="us-east-1a",
            CidrBlock=cidr,
            VpcId={"Ref": f"{name}Vpc"},
        )
        eks = assemblies.resource(
            "AWS::EKS::Cluster",
            Name=name,
            ResourcesVpcConfig={"SubnetIds": [{"Ref": f"{name}Subnet"}]},
        )
        return {
            f"{name}Vpc": assemblies.resource("AWS::EC2::VPC"),
            f"{name}Subnet": subnet,
            f"{name}Cluster": eks,
            f"{name}Pools": on(assemblies.pools()),
            **{f"{name}{key}": on(each) for key, each in assemblies.tenant().items()},
        }

    resources = {**cluster("blue", "10.0.0.0/18"), **cluster("green", "10.1.0.0/18")}
    plan = assemblies.plan_of(assemblies.write(tmp_path, {"S": {"Resources": resources}}))
    assert [each.name for each in plan.clusters] == ["blue", "green"]
    assert [(tenant.cluster, tenant.namespace) for tenant in plan.tenants] == [
        ("S/blueCluster", "analytics"),
        ("S/greenCluster", "analytics"),
    ]
    zones = {zone.subnets: zone.clusters for zone in plan.zones}
    assert zones == {
        ("10.0.0.0/18",): ("S/blueCluster",),
        ("10.1.0.0/18",): ("S/greenCluster",),
    }


@pytest.mark.parametrize(
    ("memory", "shown"),
    [("1Ti", "1024Gi"), ("512Mi", "512Mi"), ("1.5Gi", "1536Mi"), ("1e9", "954Mi")],
)
def test_defect_e_quantities_of_foreign_capacity_buffers(
    tmp_path: Path, memory: str, shown: str
) -> None:
    selector = {labels.WORKLOAD: "shared", labels.ROLE: "executor", labels.ZONE: "us-east-1a"}
    container = {"name": "c", "resources": {"requests": {"cpu": "1.5", "memory": memory}}}
    template = {
        "kind": "PodTemplate",
        "metadata": {"name": "reserve", "namespace": "tools"},
        "template": {"spec": {"nodeSelector": selector, "containers": [container]}},
    }
    buffer = {
        "kind": "CapacityBuffer",
        "metadata": {"name": "reserve", "namespace": "tools"},
        "spec": {"podTemplateRef": {"name": "reserve"}, "replicas": 1},
    }
    objects = {"Buffers": assemblies.manifest(template, buffer)}
    folder = assemblies.write(tmp_path, {"S": {"Resources": objects}})
    (found,) = assemblies.plan_of(folder).capacity_buffers
    assert (found.cpu, found.memory, found.replicas) == ("1500m", shown, 1)
