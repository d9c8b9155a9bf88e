"""What a plan says, as plain values: ``emr-eks plan --json`` prints them as they are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from cdk_emr_eks.plan.assembly import Message


@dataclass(frozen=True, kw_only=True, slots=True)
class StackPlan:
    """Size of one stack against CloudFormation's limits of 500 resources and 1 MB.

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
class PoolPlan:
    """One Karpenter NodePool.

    Args:
        stack: Stack that applies it.
        name: Name of the object.
        workload: Value of its workload label, empty if it has none.
        role: ``driver``, ``executor``, or empty.
        zones: Zones it may use; empty means all zones of the node class's subnets.
        capacity_types: Karpenter's capacity types that it allows.
        architectures: CPU architectures that it allows.
        families: Instance families that it allows.
        sizes: Instance sizes that it allows.
        instance_types: Number of instance types it can choose from; None where its requirements
            say more than families, sizes, architecture and local disks.
        limits: Limits by resource, as Kubernetes quantities; an absent one is unlimited.
        weight: Higher is tried first.
    """

    stack: str
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
        name: Role name, or its logical id where CloudFormation makes the name.
        access: ``Pod Identity``, ``IRSA``, or both, joined with ``+``.
    """

    name: str
    access: str


@dataclass(frozen=True, kw_only=True, slots=True)
class TenantPlan:
    """A namespace that carries the tenant label, or that a virtual cluster runs in.

    Args:
        stack: Stack that declares it.
        name: Value of the tenant label; the namespace where there is no label.
        namespace: Kubernetes namespace.
        virtual_clusters: Names of EMR virtual clusters of the namespace.
        quota: ``hard`` of its ResourceQuota objects, as Kubernetes quantities.
        roles: Execution roles.
    """

    stack: str
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
    """A managed endpoint, and who may open it by the policies of the assembly.

    Args:
        stack: Stack that declares it.
        name: Name.
        type: ``notebooks`` or ``Spark Connect``.
        release: EMR release.
        virtual_cluster: Name of its virtual cluster; empty where another app makes it.
        role: Execution role that its kernels and sessions have.
        opened_by: Users, groups and roles whose policies let them open it: ``user ann``.
    """

    stack: str
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
        zone: Zone's name, or ``zone-1`` where the account decides.
        subnets: CIDRs of the subnets that pods get their addresses from.
        addresses: Usable IPv4 addresses of them.
        pods: Pods that fit on them, with prefix delegation: nodes take whole /28 prefixes.
        nodes: Nodes of 110 pods whose prefixes fit, and one more prefix that each keeps warm.
    """

    stack: str
    zone: str
    subnets: tuple[str, ...]
    addresses: int
    pods: int
    nodes: int


@dataclass(frozen=True, kw_only=True, slots=True)
class PackingPlan:
    """How executors of a job configuration fill the nodes of a workload's executor pools.

    Args:
        workload: Name of the workload.
        cpu: Cores that an executor pod requests.
        memory: Memory that an executor pod requests, overhead included.
        by_size: For each instance type, executors on a full node, and the share of the node's
            allocatable cores that they request (0 to 1).
    """

    workload: str
    cpu: str
    memory: str
    by_size: Mapping[str, tuple[int, float]]


@dataclass(frozen=True, kw_only=True, slots=True)
class WarmPlan:
    """Room that is kept for jobs to come, in one zone: nodes that are paid for all the time.

    Args:
        stack: Stack that applies it.
        workload: Name of the workload.
        role: ``driver``, with the room of the job submitter, or ``executor``.
        zone: Zone's name.
        rooms: Jobs, or executors, that there is room for.
        cpu: CPU of the room.
        memory: Memory of the room.
        nodes: For each instance type, how many nodes of it alone hold the room; Karpenter buys the
            cheapest that do.
    """

    stack: str
    workload: str
    role: str
    zone: str
    rooms: int
    cpu: str
    memory: str
    nodes: Mapping[str, int]


@dataclass(frozen=True, kw_only=True, slots=True)
class ComponentPlan:
    """Something with a version: Kubernetes, an EKS add-on, a Helm chart, an EMR release.

    Args:
        stack: Stack that declares it.
        kind: ``Kubernetes``, ``EKS add-on``, ``Helm chart``.
        name: Name of the cluster, add-on or release.
        version: Version as the template has it, ``not pinned`` where it has none.
    """

    stack: str
    kind: str
    name: str
    version: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """Everything that ``emr-eks plan`` shows of one cloud assembly."""

    stacks: tuple[StackPlan, ...]
    components: tuple[ComponentPlan, ...]
    zones: tuple[ZonePlan, ...]
    pools: tuple[PoolPlan, ...]
    packing: tuple[PackingPlan, ...]
    warm: tuple[WarmPlan, ...]
    tenants: tuple[TenantPlan, ...]
    studios: tuple[StudioPlan, ...]
    endpoints: tuple[EndpointPlan, ...]
    messages: tuple[Message, ...]
