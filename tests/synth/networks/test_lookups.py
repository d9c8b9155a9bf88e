"""The two runs of an app whose VPC the CDK looks up: before and after the look-up."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_ec2 as ec2

from cdk_emr_eks import (
    EmrEksCluster,
    ExistingNetwork,
    NotebookPlatform,
    Platform,
    StudioNetwork,
    StudioSpec,
)
from cdk_emr_eks.assembly.reader import missing_lookups
from tests.synth.platforms import notebook_app

KEY = (
    "vpc-provider:account=111122223333:filter.tag:Name=shared:region=eu-west-1:"
    "returnAsymmetricSubnets=true"
)


def groups(*found: tuple[str, str]) -> dict[str, Any]:
    """The context that the CDK's command line writes, with three subnets in each group."""
    return {
        "vpcId": "vpc-0a1b2c3d",
        "vpcCidrBlock": "10.0.0.0/8",
        "ownerAccountId": "111122223333",
        "availabilityZones": [],
        "subnetGroups": [
            {
                "name": name,
                "type": kind,
                "subnets": [
                    {
                        "subnetId": f"subnet-{name.lower()}-{zone}",
                        "cidr": f"10.{number}.{index}.0/24",
                        "availabilityZone": f"eu-west-1{zone}",
                        "routeTableId": f"rtb-{name}-{zone}",
                    }
                    for index, zone in enumerate("abc")
                ],
            }
            for number, (name, kind) in enumerate(found)
        ],
    }


def platform(context: dict[str, Any]) -> tuple[cdk.App, EmrEksCluster]:
    app = cdk.App(context=context)
    env = cdk.Environment(account="111122223333", region="eu-west-1")
    stack = cdk.Stack(app, "Platform", env=env)
    network = ExistingNetwork(
        vpc=ec2.Vpc.from_lookup(stack, "Vpc", vpc_name="shared"),
        node_subnets=ec2.SubnetSelection(subnet_group_name="Nodes"),
        pod_subnets=ec2.SubnetSelection(subnet_group_name="Pods"),
    )
    return app, EmrEksCluster(stack, "Cluster", platform=Platform(network=network))


def test_the_first_run_succeeds_and_asks_for_the_vpc() -> None:
    app, _ = platform({})
    assert [each.key for each in missing_lookups(Path(app.synth().directory))] == [KEY]


def test_the_second_run_uses_the_groups_of_the_vpc() -> None:
    found = groups(("Public", "Public"), ("Nodes", "Private"), ("Pods", "Private"))
    app, cluster = platform({KEY: found})
    assert missing_lookups(Path(app.synth().directory)) == ()
    assert [zone.name for zone in cluster.network.zones] == [f"eu-west-1{zone}" for zone in "abc"]
    assert cluster.network.subnet_selector[0] == {"id": "subnet-nodes-a"}
    assert [each.subnet_id for each in cluster.network.pod_subnets] == [
        f"subnet-pods-{zone}" for zone in "abc"
    ]


def test_the_second_run_refuses_a_vpc_without_the_group() -> None:
    found = groups(("Public", "Public"), ("Nodes", "Private"))
    with pytest.raises(RuntimeError, match="no subnet groups with name 'Pods'"):
        platform({KEY: found})


def studio(context: dict[str, Any]) -> cdk.App:
    app = cdk.App(context=context)
    env = cdk.Environment(account="111122223333", region="eu-west-1")
    stack = cdk.Stack(app, "Notebooks", env=env)
    vpc = ec2.Vpc.from_lookup(stack, "Vpc", vpc_name="shared")
    subnets = vpc.select_subnets(subnet_group_name="Nodes").subnets
    cluster = notebook_app.new_cluster(stack)
    notebooks = NotebookPlatform(
        stack,
        "Notebooks",
        cluster=cluster,
        studio=StudioSpec(name="research"),
        network=StudioNetwork(vpc=vpc, subnets=tuple(subnets)),
    )
    notebooks.add_user(notebook_app.user("ann", notebook_app.endpoint()))
    return app


def test_both_runs_of_a_studio_in_a_vpc_that_is_looked_up() -> None:
    assert KEY in [each.key for each in missing_lookups(Path(studio({}).synth().directory))]
    found = groups(("Public", "Public"), ("Nodes", "Private"))
    template = studio({KEY: found}).synth().get_stack_by_name("Notebooks").template
    (resource,) = (
        each for each in template["Resources"].values() if each["Type"] == "AWS::EMR::Studio"
    )
    assert resource["Properties"]["SubnetIds"] == [f"subnet-nodes-{zone}" for zone in "abc"]
