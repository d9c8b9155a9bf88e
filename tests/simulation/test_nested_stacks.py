"""A platform and a tenant in nested stacks: the jobs of the tenant, and the deployment of both."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from kubernetes import client

from cdk_emr_eks import EmrEksCluster, Tenant
from cdk_emr_eks.assembly import Assembly, open_assembly
from cdk_emr_eks.simulation.aws import EmulatedAws
from cdk_emr_eks.simulation.control_plane.plane import Plane
from cdk_emr_eks.simulation.deploy import AssemblyDeployment, deploy
from cdk_emr_eks.simulation.jobs.blueprint import read_blueprints

TENANT = "nested"


@pytest.fixture(scope="module")
def assembly(tmp_path_factory: pytest.TempPathFactory) -> Assembly:
    folder: Path = tmp_path_factory.mktemp("nested")
    app = cdk.App(outdir=str(folder), analytics_reporting=False)
    stack = cdk.Stack(app, "Outer")
    cluster = EmrEksCluster(cdk.NestedStack(stack, "Platform"), "Cluster")
    cluster.add_tenant(Tenant(name=TENANT), scope=cdk.NestedStack(stack, "Tenant"))
    app.synth()
    return open_assembly(folder)


def test_jobs_of_a_tenant_in_a_nested_stack(assembly: Assembly) -> None:
    assert {each.tenant for each in read_blueprints(assembly)} == {TENANT}


@pytest.fixture(scope="module")
def deployment(assembly: Assembly, plane: Plane) -> Iterator[AssemblyDeployment]:
    with EmulatedAws(plane.binaries.prices) as aws:
        deployed = deploy(assembly, plane=plane, aws=aws)
        yield deployed
        assert deployed.destroy() == ()


def test_nested_stacks_are_deployed(deployment: AssemblyDeployment, plane: Plane) -> None:
    assert deployment.not_simulated == ()
    assert deployment.karpenter is not None
    with plane.client() as api:
        core: Any = client.CoreV1Api(api)
        assert core.read_namespace(TENANT).status.phase == "Active"
    clusters = {each.stack for each in deployment.resources if each.type == "AWS::EKS::Cluster"}
    (stack,) = clusters
    assert stack.startswith("Outer-Platform")
