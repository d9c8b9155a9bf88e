"""Values of a plan. ``emr-eks plan --json`` prints them unchanged."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from cdk_emr_eks.assembly.stack import Message


@dataclass(frozen=True, kw_only=True, slots=True)
class StackPlan:
    """Size of one stack; CloudFormation's limits are 500 resources and 1 MB.

    Args:
        name: Name of the stack.
        resources: All resources.
        template_bytes: Size of the template as uploaded.
        lambdas: Lambda functions.
        kubernetes_resources: Custom resources that apply manifests or charts to the cluster.
        iam_roles: IAM roles.
    """

    name: str
    resources: int
    template_bytes: int
    lambdas: int
    kubernetes_resources: int
    iam_roles: int


@dataclass(frozen=True, kw_only=True, slots=True)
class ClusterPlan:
    """An EKS cluster of the assembly, or an existing one that the assembly deploys to.

    Args:
        key: Identifies the cluster in the plan; ``cluster`` of other values refers to it.
        name: Name of the cluster; the logical id where CloudFormation generates the name.
        stack: Stack that declares it, empty for an existing cluster.
        environment: Account and Region as ``aws://account/region``, empty for an existing cluster.
    """

    key: str
    name: str
    stack: str
    environment: str


@dataclass(frozen=True, kw_only=True, slots=True)
class PoolPlan:
    """One Karpenter NodePool.

    Args:
        stack: Stack that applies it.
        cluster: Key of the cluster.
        name: Name of the object.
        workload: Value of its workload label, empty if it has none.
        role: ``driver``, ``executor``, or empty.
        zones: Zones it may use; empty means all zones of the node class's subnets.
        capacity_types: Karpenter's capacity types that it allows.
        architectures: CPU architectures that it allows.
        families: Instance families that it allows.
        sizes: Instance sizes that it allows.
        instance_types: Number of instance types it can choose from; None if its requirements are
            about more than families, sizes, architecture and local disks.
        limits: Limits by resource, as Kubernetes quantities; an absent one is unlimited.
        weight: Higher is tried first.
    """

    stack: str
    cluster: str
    name: str
    workload: str
    role: str
    zones: tuple[str, ...]
    capacity_types: tuple[str, ...]
    architectures: tuple[str, ...]
    families: tuple[str, ...]
    sizes: tuple[str, ...]
    instance_types: int | None
    limits: Mapping[str, str]
    weight: int


@dataclass(frozen=True, kw_only=True, slots=True)
class RolePlan:
    """An execution role that jobs of a tenant may use.

    Args:
        name: Role name, or its logical id if CloudFormation generates the name.
        access: ``Pod Identity``, ``IRSA``, or both, joined with ``+``.
    """

    name: str
    access: str


@dataclass(frozen=True, kw_only=True, slots=True)
class TenantPlan:
    """A namespace that has the tenant label or a virtual cluster.

    Args:
        stack: Stack that declares it.
        cluster: Key of the cluster.
        name: Value of the tenant label; the namespace if it has no label.
        namespace: Kubernetes namespace.
        virtual_clusters: Names of EMR virtual clusters of the namespace.
        quota: ``hard`` of its ResourceQuota objects, as Kubernetes quantities.
        roles: Execution roles.
    """

    stack: str
    cluster: str
    name: str
    namespace: str
    virtual_clusters: tuple[str, ...]
    quota: Mapping[str, str]
    roles: tuple[RolePlan, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class StudioPlan:
    """An EMR Studio.

    Args:
        stack: Stack that declares it.
        name: Name.
        sign_in: ``IAM``, ``SAML`` or ``IAM Identity Center``.
        members: Identities that sessions are mapped to, with Identity Center: ``user ann``.
    """

    stack: str
    name: str
    sign_in: str
    members: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class EndpointPlan:
    """A managed endpoint, and the principals that the assembly's policies allow to open it.

    Args:
        stack: Stack that declares it.
        cluster: Key of the cluster.
        name: Name.
        type: ``notebooks`` or ``Spark Connect``.
        release: EMR release.
        virtual_cluster: Name of its virtual cluster; empty if another app declares it.
        role: Execution role of its kernels and sessions.
        opened_by: Users, groups and roles whose policies let them open it: ``user ann``.
    """

    stack: str
    cluster: str
    name: str
    type: str
    release: str
    virtual_cluster: str
    role: str
    opened_by: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class ZonePlan:
    """Addresses for pods in one zone.

    Args:
        stack: Stack of the subnets.
        clusters: Keys of the clusters in the same VPC.
        zone: Name of the zone, or ``zone-1`` if only the deployment knows it.
        subnets: CIDRs of the subnets that pods get their addresses from.
        addresses: Usable IPv4 addresses of them.
        pods: Pods that fit on them, with prefix delegation: nodes take whole /28 prefixes.
        nodes: Nodes of 110 pods that fit; each takes prefixes for its pods and one more.
    """

    stack: str
    clusters: tuple[str, ...]
    zone: str
    subnets: tuple[str, ...]
    addresses: int
    pods: int
    nodes: int


@dataclass(frozen=True, kw_only=True, slots=True)
class PackingPlan:
    """How executors of a job configuration fill the nodes of a workload's executor pools.

    Args:
        cluster: Key of the cluster.
        workload: Name of the workload.
        cpu: Cores that an executor pod requests.
        memory: Memory that an executor pod requests, overhead included.
        by_size: For each instance type, executors on a full node, and the share of the node's
            allocatable cores that they request (0 to 1).
    """

    cluster: str
    workload: str
    cpu: str
    memory: str
    by_size: Mapping[str, tuple[int, float]]


@dataclass(frozen=True, kw_only=True, slots=True)
class CapacityBufferPlan:
    """Capacity buffers of a workload in one zone: nodes that run, and cost, all the time.

    Args:
        stack: Stack that applies it.
        cluster: Key of the cluster.
        workload: Name of the workload.
        role: ``driver``, with the job submitter's pods, or ``executor``.
        zone: Name of the zone.
        replicas: Jobs, or executors, that the buffers have capacity for.
        cpu: CPU of the buffers.
        memory: Memory of the buffers.
        nodes: Number of nodes that hold the buffers, for each instance type alone; Karpenter
            launches the cheapest.
    """

    stack: str
    cluster: str
    workload: str
    role: str
    zone: str
    replicas: int
    cpu: str
    memory: str
    nodes: Mapping[str, int]


@dataclass(frozen=True, kw_only=True, slots=True)
class ComponentPlan:
    """A component with a version: Kubernetes, an EKS add-on or a Helm chart.

    Args:
        stack: Stack that declares it.
        cluster: Key of the cluster.
        kind: ``Kubernetes``, ``EKS add-on``, ``Helm chart``.
        name: Name of the cluster, add-on or release.
        version: Version as the template has it, ``not pinned`` if it has none.
    """

    stack: str
    cluster: str
    kind: str
    name: str
    version: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """Everything that ``emr-eks plan`` shows of one cloud assembly."""

    stacks: tuple[StackPlan, ...]
    clusters: tuple[ClusterPlan, ...]
    components: tuple[ComponentPlan, ...]
    zones: tuple[ZonePlan, ...]
    pools: tuple[PoolPlan, ...]
    packing: tuple[PackingPlan, ...]
    capacity_buffers: tuple[CapacityBufferPlan, ...]
    tenants: tuple[TenantPlan, ...]
    studios: tuple[StudioPlan, ...]
    endpoints: tuple[EndpointPlan, ...]
    messages: tuple[Message, ...]

    def of_cluster(self, key: str) -> Plan:
        """Return the plan of one cluster: what belongs to it, and the zones of its VPC."""
        return replace(
            self,
            clusters=tuple(each for each in self.clusters if each.key == key),
            components=tuple(each for each in self.components if each.cluster == key),
            zones=tuple(each for each in self.zones if key in each.clusters),
            pools=tuple(each for each in self.pools if each.cluster == key),
            packing=tuple(each for each in self.packing if each.cluster == key),
            capacity_buffers=tuple(each for each in self.capacity_buffers if each.cluster == key),
            tenants=tuple(each for each in self.tenants if each.cluster == key),
            endpoints=tuple(each for each in self.endpoints if each.cluster == key),
        )

    def without_clusters(self) -> Plan:
        """Return the plan of what belongs to no cluster, such as a network for other apps."""
        plan = self.of_cluster("")
        return replace(plan, zones=tuple(each for each in self.zones if not each.clusters))
