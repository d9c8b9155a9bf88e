"""Observe pods, nodes, node claims and events, and keep what a report needs."""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from cdk_emr_eks import labels
from cdk_emr_eks.assembly.paths import mapping, sequence, text
from cdk_emr_eks.labels import JOB_COMPONENT, JOB_ID, SparkRole
from cdk_emr_eks.simulation.control_plane.kube_api import KubeApi
from cdk_emr_eks.simulation.control_plane.kube_types import (
    EVENTS,
    NODE_CLAIMS,
    NODES,
    PODS,
    EventType,
    Object,
)
from cdk_emr_eks.simulation.observe.timeline import Sample, Series
from cdk_emr_eks.units import Cpu

INSTANCE_TYPE: Final = "node.kubernetes.io/instance-type"
_MAX_WARNINGS: Final = 200
_MAX_MESSAGE: Final = 300

Listener = Callable[[EventType, Object], None]


class Feed:
    """Watches each collection once, and calls listeners with each change, in order.

    Args:
        api: API server.
    """

    def __init__(self, api: KubeApi) -> None:
        self._api = api
        self._listeners: dict[str, list[Listener]] = defaultdict(list)

    def listen(self, path: str, listener: Listener) -> None:
        """Call ``listener`` with each object of a collection, and with each change of one."""
        self._listeners[path].append(listener)

    async def run(self) -> None:
        """Watch until cancelled."""
        async with asyncio.TaskGroup() as group:
            for path, listeners in self._listeners.items():
                group.create_task(self._follow(path, listeners))

    async def _follow(self, path: str, listeners: list[Listener]) -> None:
        async for event, item in self._api.watch(path):
            for listener in listeners:
                listener(event, item)


@dataclass(frozen=True, slots=True)
class Node:
    """A node, also after its deletion."""

    zone: str
    capacity_type: str
    workload: str
    role: str
    cores: float
    instance: str


@dataclass(slots=True)
class Placement:
    """Nodes of the pods of one attempt of a job."""

    driver: str = ""
    executors: set[str] = field(default_factory=set)


@dataclass(slots=True)
class PackingTotals:
    """Use of the executor nodes of a workload.

    Attributes:
        requested: Core-seconds that executors requested.
        allocatable: Allocatable core-seconds of the nodes.
        peak_requested: Requested cores at the moment of the highest request.
        peak_allocatable: Allocatable cores of the nodes at that moment.
    """

    requested: float = 0.0
    allocatable: float = 0.0
    peak_requested: float = 0.0
    peak_allocatable: float = 0.0


@dataclass(frozen=True, slots=True)
class _Pod:
    job: str
    component: str
    workload: str
    node: str
    cores: float
    running: bool


class Observer:
    """Listens to pods, nodes, node claims and events.

    Its memory grows with the number of jobs and nodes, not with time: it forgets a pod when the pod
    ends.

    Args:
        price: Returns the hourly price of an instance type and capacity type.
        speed: Seconds of the scenario in a second of the wall clock. Costs are for the hours of
            the scenario.

    Attributes:
        series: The cluster over time.
        nodes: Every node so far, by name.
        placements: Nodes of each attempt, by Spark's application id.
        packing: Use of executor nodes, by workload.
        cost: US dollars for all instances so far.
        core_seconds: Wall-clock core-seconds that running pods requested, by job.
        warnings: Number of warnings of the cluster, by reason and message.
        disrupted: Why Karpenter disrupted a node, by name of the node.
    """

    def __init__(self, price: Callable[[str, str], float], speed: float) -> None:
        self._price = price
        self._speed = speed
        self._pods: dict[str, _Pod] = {}
        self._present: set[str] = set()
        self._paid: dict[str, float] = {}
        self._last = 0.0
        self.series = Series()
        self.nodes: dict[str, Node] = {}
        self.placements: dict[str, Placement] = defaultdict(Placement)
        self.packing: dict[str, PackingTotals] = defaultdict(PackingTotals)
        self.cost = 0.0
        self.core_seconds: dict[str, float] = defaultdict(float)
        self.warnings: Counter[tuple[str, str]] = Counter()
        self.disrupted: dict[str, str] = {}

    def attach(self, feed: Feed) -> None:
        """Listen to a feed."""
        feed.listen(NODES, self.on_node)
        feed.listen(NODE_CLAIMS, self.on_claim)
        feed.listen(PODS, self.on_pod)
        feed.listen(EVENTS, self.on_event)

    @property
    def alive(self) -> int:
        """Number of paid instances or of present nodes, whichever is higher."""
        return max(len(self._present), len(self._paid))

    def running_nodes(self, capacity_type: str = "") -> list[str]:
        """Return the names of present nodes, of one capacity type or of all."""
        return sorted(
            name for name in self._present if capacity_type in ("", self.nodes[name].capacity_type)
        )

    def drivers_by_zone(self) -> Counter[str]:
        """Count the drivers in each zone; zones with nodes and without drivers count 0."""
        found = Counter({self.nodes[name].zone: 0 for name in self._present})
        for pod in self._pods.values():
            if pod.component == SparkRole.DRIVER and pod.node in self.nodes:
                found[self.nodes[pod.node].zone] += 1
        return found

    def on_node(self, event: EventType, node: Object) -> None:
        """Handle a change of a node."""
        name, node_labels = text(node, "metadata", "name"), mapping(node, "metadata", "labels")
        if labels.WORKLOAD not in node_labels:
            return
        if event == "DELETED":
            self._present.discard(name)
            return
        self._present.add(name)
        self.nodes[name] = Node(
            zone=text(node_labels, labels.ZONE),
            capacity_type=text(node_labels, labels.CAPACITY_TYPE),
            workload=text(node_labels, labels.WORKLOAD),
            role=text(node_labels, labels.ROLE),
            cores=cores(text(node, "status", "allocatable", "cpu")),
            instance=text(node, "spec", "providerID").rpartition("/")[2],
        )

    def on_claim(self, event: EventType, claim: Object) -> None:
        """Handle a change of a node claim, which stands for an instance."""
        name, claim_labels = text(claim, "metadata", "name"), mapping(claim, "metadata", "labels")
        status = mapping(claim, "status")
        for condition in sequence(status, "conditions"):
            if text(condition, "type") == "DisruptionReason":
                self.disrupted[text(status, "nodeName")] = text(condition, "reason")
        instance_type = text(claim_labels, INSTANCE_TYPE)
        if event == "DELETED":
            self._paid.pop(name, None)
        elif status.get("providerID") and instance_type:
            capacity_type = text(claim_labels, labels.CAPACITY_TYPE)
            self._paid[name] = self._price(instance_type, capacity_type)

    def on_pod(self, event: EventType, pod: Object) -> None:
        """Handle a change of a pod. Pods that are not of jobs are ignored."""
        pod_labels, uid = mapping(pod, "metadata", "labels"), text(pod, "metadata", "uid")
        if JOB_ID not in pod_labels:
            return
        phase = text(pod, "status", "phase")
        if event == "DELETED" or phase in ("Succeeded", "Failed"):
            self._pods.pop(uid, None)
            return
        node, component = text(pod, "spec", "nodeName"), text(pod_labels, JOB_COMPONENT)
        self._pods[uid] = _Pod(
            job=text(pod_labels, JOB_ID),
            component=component,
            workload=text(pod_labels, labels.WORKLOAD),
            node=node,
            cores=pod_cores(mapping(pod, "spec")),
            running=phase == "Running",
        )
        application = text(pod_labels, labels.SPARK_APP_SELECTOR)
        if node and component == SparkRole.DRIVER:
            self.placements[application].driver = node
        elif node and component == SparkRole.EXECUTOR:
            self.placements[application].executors.add(node)

    def on_event(self, event: EventType, content: Object) -> None:
        """Count a warning of the cluster."""
        if event == "DELETED" or content.get("type") != "Warning":
            return
        key = (text(content, "reason"), text(content, "message")[:_MAX_MESSAGE])
        if key in self.warnings or len(self.warnings) < _MAX_WARNINGS:
            self.warnings[key] += 1

    def sample(self, at: float, jobs: int) -> Sample:
        """Take a sample, and add the costs since the last one.

        Args:
            at: Seconds of the wall clock since the start of the scenario.
            jobs: Submitted jobs that have not ended.
        """
        passed, self._last = at - self._last, at
        requested: dict[str, float] = defaultdict(float)
        allocatable: dict[str, float] = defaultdict(float)
        pending: Counter[str] = Counter()
        executors = 0
        for pod in self._pods.values():
            if not pod.node:
                pending[pod.component] += 1
            if pod.running:
                self.core_seconds[pod.job] += pod.cores * passed
                executors += pod.component == SparkRole.EXECUTOR
            if pod.node in self._present and pod.component == SparkRole.EXECUTOR:
                requested[pod.workload] += pod.cores
        for name in self._present:
            node = self.nodes[name]
            if node.role == SparkRole.EXECUTOR:
                allocatable[node.workload] += node.cores
        hourly = sum(self._paid.values())
        self.cost += hourly * passed * self._speed / 3600
        self._add_packing(requested, allocatable, passed)
        sample = Sample(
            at=at,
            nodes=Counter(
                (self.nodes[name].zone, self.nodes[name].capacity_type) for name in self._present
            ),
            pending=pending,
            executors=executors,
            jobs=jobs,
            cost_per_hour=hourly,
            requested=requested,
            allocatable=allocatable,
        )
        self.series.add(sample)
        return sample

    def _add_packing(
        self, requested: Mapping[str, float], allocatable: Mapping[str, float], passed: float
    ) -> None:
        for workload, available in allocatable.items():
            packing, used = self.packing[workload], requested.get(workload, 0.0)
            packing.requested += used * passed
            packing.allocatable += available * passed
            if used > packing.peak_requested:
                packing.peak_requested, packing.peak_allocatable = used, available


def pod_cores(spec: Object) -> float:
    """Return the cores that the containers of a pod request."""
    return sum(
        cores(text(container, "resources", "requests", "cpu"))
        for container in sequence(spec, "containers")
    )


def cores(quantity: str) -> float:
    """Return a Kubernetes quantity of CPU in cores, 0 for the empty text."""
    return Cpu.parse(quantity).millicores / 1000 if quantity else 0.0
