"""A tenant with dedicated nodes, in another stack than the cluster."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, cast

import aws_cdk as cdk
import pytest
from aws_cdk import assertions

from cdk_emr_eks import EmrEksCluster
from cdk_emr_eks.errors import ConfigError
from cdk_emr_eks.model.nodes.crds import validate_manifest
from cdk_emr_eks.model.tenants.tenant import Tenant
from cdk_emr_eks.model.workloads.catalog import SHARED
from cdk_emr_eks.tenants.tenant import EmrEksTenant
from tests.synth.tenants.tenancy_app import imported_context, new_app
from tests.unit.nodes.test_dedicated import dedicated

MANIFEST = "Custom::AWSCDK-EKS-KubernetesResource"
Resources = Mapping[str, Mapping[str, Any]]


class Synthesis:
    """The platform, a tenant of its stack, and a tenant with dedicated nodes in another stack."""

    def __init__(self) -> None:
        app = new_app()
        self.cluster = EmrEksCluster(cdk.Stack(app, "Platform"), "Cluster")
        self.stack = cdk.Stack(app, "Acme")
        own = Tenant(name="acme", dedicated=(dedicated(),))
        self.tenant = self.cluster.add_tenant(own, scope=self.stack)
        other = Tenant(name="eve", dedicated=(dedicated(),))
        with pytest.raises(ConfigError) as refused:
            self.cluster.add_tenant(other, scope=cdk.Stack(app, "Eve"))
        self.refused = str(refused.value)
        template = assertions.Template.from_stack(self.stack)
        self.resources = cast(Resources, template.to_json()["Resources"])

    def manifest(self, path: str) -> tuple[str, Mapping[str, Any]]:
        """The custom resource of a stage, with its logical id."""
        ((id, found),) = (
            (id, item)
            for id, item in self.resources.items()
            if item["Type"] == MANIFEST and path in id
        )
        return id, found

    def objects(self, path: str) -> list[dict[str, Any]]:
        text = self.manifest(path)[1]["Properties"]["Manifest"]
        parts = [text] if isinstance(text, str) else text["Fn::Join"][1]
        # A word replaces imports of other stacks.
        joined = "".join(part if isinstance(part, str) else "imported" for part in parts)
        return cast(list[dict[str, Any]], json.loads(joined))


@pytest.fixture(scope="module")
def made() -> Synthesis:
    return Synthesis()


def test_pools_classes_and_priorities_are_in_the_tenants_stack(made: Synthesis) -> None:
    objects = made.objects("Capacity")
    kinds = [item["kind"] for item in objects]
    # Written, and so deleted, in this order: pools before the classes that they refer to.
    assert kinds == ["NodePool"] * 9 + ["EC2NodeClass"] * 2 + ["PriorityClass"] * 2
    for item in objects:
        assert item["metadata"]["name"].startswith("acme-")
        if item["kind"] == "EC2NodeClass":
            assert item["spec"]["tags"]["emr-eks/tenant"] == "acme"
            assert item["spec"]["role"] == "imported"
        if item["kind"] != "PriorityClass":
            validate_manifest(item)
    limits = {item["spec"]["limits"]["cpu"] for item in objects if item["kind"] == "NodePool"}
    assert limits == {"32", "320"}


def test_its_namespace_comes_after_them_and_admits_its_workload(made: Synthesis) -> None:
    capacity, _ = made.manifest("Capacity")
    _, namespace = made.manifest("Namespace")
    assert capacity in namespace["DependsOn"]
    (first, *_) = made.objects("Namespace")
    assert first["metadata"]["annotations"]["emr-eks/workloads"] == "acme"


def test_its_jobs_have_templates_of_its_workload(made: Synthesis) -> None:
    configuration = json.dumps(made.tenant.job_configuration("acme"), default=dict)
    theirs = made.tenant.context.pod_templates
    assert '"jobsubmitter.node.selector.emr-eks/workload": "acme"' in configuration
    assert theirs.node.path == "Acme/Tenant-acme/PodTemplates"
    with pytest.raises(ConfigError, match=r"workload must be one of acme, got 'shared'"):
        made.tenant.job_configuration("shared")
    policies = [item for item in made.resources.values() if item["Type"] == "AWS::IAM::Role"]
    # Driver's and executor's template of one workload.
    text = json.dumps(policies)
    assert text.count(".yaml") == 2


def test_no_other_tenant_of_the_app_has_its_workload(made: Synthesis) -> None:
    assert "dedicated must have a name that no other tenant's workload has" in made.refused
    assert made.refused.endswith("got 'acme'.")
    assert "acme" not in made.cluster.context.workloads


def test_a_cluster_without_node_settings_refuses() -> None:
    stack = cdk.Stack(new_app(), "Stack")
    context = imported_context(stack)
    own = Tenant(name="acme", dedicated=(dedicated(replace(SHARED, name="acme")),))
    with pytest.raises(ConfigError) as refused:
        EmrEksTenant(stack, "Acme", context=context, tenant=own)
    assert str(refused.value) == (
        "Tenant 'acme': dedicated must be on a cluster with node settings; 'data-platform' has "
        "none, got 'acme'; add the tenant in the app of its EmrEksCluster, or write "
        "ImportedPlatform(nodes=...)."
    )
    # It is refused before anything of the tenant is created.
    assert stack.node.try_find_child("Acme") is None
