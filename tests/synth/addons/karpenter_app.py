"""One small app that the tests of Karpenter and of node pools share, synthesized once each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Final, cast

import aws_cdk as cdk
from aws_cdk import aws_eks_v2 as eks
from aws_cdk import aws_kms as kms
from aws_cdk.lambda_layer_kubectl_v36 import KubectlV36Layer
from constructs import IDependable

from cdk_emr_eks.addons.karpenter import InstalledKarpenter, Karpenter
from cdk_emr_eks.addons.protocol import AddonContext
from cdk_emr_eks.assembly.paths import at, sequence
from cdk_emr_eks.assembly.references import names
from cdk_emr_eks.model.clusters.cluster import SYSTEM_SELECTOR, SYSTEM_TOLERATIONS
from cdk_emr_eks.model.workloads.catalog import DEFAULT_WORKLOADS
from cdk_emr_eks.model.workloads.workload import Workload
from cdk_emr_eks.networks.network import Network, NetworkSpec
from cdk_emr_eks.nodes.node_pools import NodeEnvironment, NodePools

CLUSTER: Final = "data-platform"
Resource = Mapping[str, Any]


@dataclass(frozen=True)
class App:
    """A stack with a plain cluster, and what Karpenter may know of it."""

    stack: cdk.Stack
    cluster: eks.ICluster
    context: AddonContext
    system_nodes: IDependable

    def template(self) -> Mapping[str, Resource]:
        """The resources of the synthesized stack."""
        root = cast(cdk.App, self.stack.node.root)
        assembly = root.synth(skip_validation=True)
        template = assembly.get_stack_by_name(self.stack.stack_name).template
        return cast(Mapping[str, Resource], template["Resources"])

    def warnings(self) -> list[str]:
        """Texts of all warnings in the app."""
        found = self.stack.node.find_all()
        return [
            str(entry.data)
            for construct in found
            for entry in construct.node.metadata
            if entry.type == "aws:cdk:warning"
        ]


def new_app(cluster_name: str = CLUSTER, env: cdk.Environment | None = None) -> App:
    """A cluster without any of the library's parts but the network."""
    stack = cdk.Stack(cdk.App(analytics_reporting=False), "Stack", env=env)
    key = kms.Key(stack, "Key")
    network = Network(
        stack, "Network", spec=NetworkSpec(flow_logs=False), cluster_name=cluster_name, key=key
    )
    cluster = eks.Cluster(
        stack,
        "Cluster",
        cluster_name=cluster_name,
        version=eks.KubernetesVersion.V1_36,
        vpc=network.vpc,
        default_capacity_type=eks.DefaultCapacityType.NODEGROUP,
        default_capacity=0,
        kubectl_provider_options=eks.KubectlProviderOptions(
            kubectl_layer=KubectlV36Layer(stack, "Kubectl")
        ),
    )
    nodes = cluster.add_nodegroup_capacity("SystemNodes")
    # jsii's types make no Cluster an ICluster.
    as_interface = cast(eks.ICluster, cluster)
    context = AddonContext(
        cluster=as_interface,
        cluster_name=cluster_name,
        network=network,
        key=key,
        node_selector=SYSTEM_SELECTOR,
        tolerations=SYSTEM_TOLERATIONS,
        ready=nodes,
    )
    return App(stack=stack, cluster=as_interface, context=context, system_nodes=nodes)


def add_pools(
    app: App,
    karpenter: InstalledKarpenter,
    workloads: Sequence[Workload] = DEFAULT_WORKLOADS,
    *,
    bundle_per_workload: bool = False,
) -> NodePools:
    """Node pools as the platform makes them."""
    return NodePools(
        app.stack,
        "NodePools",
        cluster=app.cluster,
        workloads=workloads,
        nodes=NodeEnvironment(
            cluster_name=app.context.cluster_name,
            zones=app.context.network.zones,
            role=karpenter.node_role.role_name,
            subnets=app.context.network.subnet_selector,
            security_groups=({"tags": {"aws:eks:cluster-name": app.context.cluster_name}},),
        ),
        karpenter=karpenter.ready,
        bundle_per_workload=bundle_per_workload,
    )


@cache
def reference() -> Mapping[str, Resource]:
    """Karpenter by its defaults, with the pools of the default workloads."""
    app = new_app()
    add_pools(app, Karpenter().install(app.stack, app.context))
    return app.template()


def of_type(resources: Mapping[str, Resource], kind: str) -> dict[str, Resource]:
    """The resources of one type, by logical id."""
    return {name: each for name, each in resources.items() if each["Type"] == kind}


def only(resources: Mapping[str, Resource], kind: str, part: str) -> tuple[str, Resource]:
    """The one resource of a type whose logical id has a part."""
    found = [(n, each) for n, each in of_type(resources, kind).items() if part in n]
    assert len(found) == 1, f"{kind} with {part!r}: {[name for name, _ in found]}"
    return found[0]


def waits_for(resources: Mapping[str, Resource], name: str) -> set[str]:
    """All resources that must be there before one is made, and so outlive it on deletion."""
    seen: set[str] = set()
    open_ends = [name]
    while open_ends:
        for needed in _references(resources[open_ends.pop()]):
            if needed in resources and needed not in seen:
                seen.add(needed)
                open_ends.append(needed)
    return seen


def _references(resource: object) -> set[str]:
    depends_on = at(resource, "DependsOn")
    needed = [depends_on] if isinstance(depends_on, str) else sequence(depends_on)
    return {*map(str, needed), *names(at(resource, "Properties"))}
