"""Watches the cluster while a scenario runs, and keeps what a report needs of it."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from cdk_emr_eks import labels
from cdk_emr_eks.assembly.paths import mapping, sequence
from cdk_emr_eks.labels import JOB_ID, SparkRole
from cdk_emr_eks.simulation.control_plane.kube_api import (
    EVENTS,
    NODE_CLAIMS,
    NODES,
    PODS,
    Kind,
    Object,
)
from cdk_emr_eks.simulation.feed import Feed
from cdk_emr_eks.simulation.jobs.additions import COMPONENT
from cdk_emr_eks.simulation.samples import Sample, Series

INSTANCE_TYPE: Final = "node.kubernetes.io/instance-type"
_MOST_WARNINGS: Final = 200
_SUFFIXES: Final = {"n": 1e-9, "u": 1e-6, "m": 1e-3, "": 1.0, "k": 1e3}


@dataclass(frozen=True, slots=True)
class Node:
    """What is known of a node, also after it is gone."""

    zone: str
    capacity_type: str
    workload: str
    role: str
    cores: float
    instance: str


@dataclass(slots=True)
class Placement:
    """Nodes that the pods of one attempt of a job were on."""

    driver: str = ""
    executors: set[str] = field(default_factory=set)


@dataclass(slots=True)
class Packing:
    """How full the executor nodes of a workload were.

    Attributes:
        requested: Core-seconds that executors requested.
        allocatable: Core-seconds that the nodes had.
        peak_requested: Cores requested at the moment when most were.
        peak_allocatable: Cores that the nodes had at that moment.
    """

    requested: float = 0.0
    allocatable: float = 0.0
    peak_requested: float = 0.0
    peak_allocatable: float = 0.0


@dataclass(frozen=True, slots=True)
class _Pod:
    job: str
    part: str
    workload: str
    node: str
    cores: float
    running: bool


class Observer:
    """Listens to pods, nodes, node claims and events.

    What it keeps grows with the number of jobs and nodes, not with time: no pod is kept longer than
    it lives.

    Args:
        price: Returns the hourly price of an instance type and capacity type.
        speed: Scenario seconds in a second of the wall clock; costs are of the scenario's hours.

    Attributes:
        series: The cluster over time.
        nodes: Every node that ever was, by name.
        placements: Nodes of each attempt, by Spark's application id.
        packing: By workload.
        cost: US dollars for all instances so far.
        core_seconds: Of the wall clock, that running pods of each job requested.
        warnings: Warnings of the cluster, by reason and text, with their number.
        disrupted: Why Karpenter disrupted a node, by node name.
    """

    def __init__(self, price: Callable[[str, str], float], speed: float) -> None:
        self._price = price
        self._speed = speed
        self._pods: dict[str, _Pod] = {}
        self._alive: set[str] = set()
        self._bought: dict[str, float] = {}
        self._last = 0.0
        self.series = Series()
        self.nodes: dict[str, Node] = {}
        self.placements: dict[str, Placement] = defaultdict(Placement)
        self.packing: dict[str, Packing] = defaultdict(Packing)
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
        """Instances that are paid for, or nodes that are there, whichever are more."""
        return max(len(self._alive), len(self._bought))

    def running_nodes(self, capacity_type: str = "") -> list[str]:
        """Return the names of the nodes that are there, of one capacity type or of all."""
        return sorted(
            name for name in self._alive if capacity_type in ("", self.nodes[name].capacity_type)
        )

    def drivers_by_zone(self) -> Counter[str]:
        """Count the drivers that run now, by zone; zones with nodes and no driver count 0."""
        found = Counter({self.nodes[name].zone: 0 for name in self._alive})
        for pod in self._pods.values():
            if pod.part == SparkRole.DRIVER and pod.node in self.nodes:
                found[self.nodes[pod.node].zone] += 1
        return found

    def on_node(self, kind: Kind, node: Object) -> None:
        """Take note of a change of a node."""
        metadata = mapping(node["metadata"])
        name, marks = str(metadata["name"]), mapping(metadata.get("labels"))
        if labels.WORKLOAD not in marks:
            return
        if kind == "DELETED":
            self._alive.discard(name)
            return
        allocatable = mapping(mapping(node.get("status")).get("allocatable"))
        self._alive.add(name)
        self.nodes[name] = Node(
            zone=str(marks.get(labels.ZONE, "")),
            capacity_type=str(marks.get(labels.CAPACITY_TYPE, "")),
            workload=str(marks[labels.WORKLOAD]),
            role=str(marks.get(labels.ROLE, "")),
            cores=cores(str(allocatable.get("cpu", "0"))),
            instance=str(mapping(node.get("spec")).get("providerID", "")).rpartition("/")[2],
        )

    def on_claim(self, kind: Kind, claim: Object) -> None:
        """Take note of a change of a node claim: of an instance that is bought."""
        metadata, status = mapping(claim["metadata"]), mapping(claim.get("status"))
        name, marks = str(metadata["name"]), mapping(metadata.get("labels"))
        for condition in map(mapping, sequence(status.get("conditions"))):
            if condition.get("type") == "DisruptionReason":
                self.disrupted[str(status.get("nodeName", ""))] = str(condition.get("reason"))
        if kind == "DELETED":
            self._bought.pop(name, None)
        elif status.get("providerID") and marks.get(INSTANCE_TYPE):
            capacity_type = str(marks.get(labels.CAPACITY_TYPE, ""))
            self._bought[name] = self._price(str(marks[INSTANCE_TYPE]), capacity_type)

    def on_pod(self, kind: Kind, pod: Object) -> None:
        """Take note of a change of a job's pod; others are of no concern."""
        metadata, spec = mapping(pod["metadata"]), mapping(pod["spec"])
        marks, uid = mapping(metadata.get("labels")), str(metadata["uid"])
        if JOB_ID not in marks:
            return
        phase = str(mapping(pod.get("status")).get("phase"))
        if kind == "DELETED" or phase in ("Succeeded", "Failed"):
            self._pods.pop(uid, None)
            return
        node, part = str(spec.get("nodeName", "")), str(marks.get(COMPONENT))
        self._pods[uid] = _Pod(
            job=str(marks[JOB_ID]),
            part=part,
            workload=str(marks.get(labels.WORKLOAD, "")),
            node=node,
            cores=pod_cores(spec),
            running=phase == "Running",
        )
        application = str(marks.get(labels.SPARK_APP_SELECTOR, ""))
        if node and part == SparkRole.DRIVER:
            self.placements[application].driver = node
        elif node and part == SparkRole.EXECUTOR:
            self.placements[application].executors.add(node)

    def on_event(self, kind: Kind, event: Object) -> None:
        """Count a warning of the cluster's."""
        if kind == "DELETED" or event.get("type") != "Warning":
            return
        key = (str(event.get("reason")), str(event.get("message"))[:300])
        if key in self.warnings or len(self.warnings) < _MOST_WARNINGS:
            self.warnings[key] += 1

    def sample(self, at: float, jobs: int) -> Sample:
        """Take a sample, and add up costs since the last one.

        Args:
            at: Seconds of the wall clock since the scenario's start.
            jobs: Jobs that were submitted and have not ended.
        """
        passed, self._last = at - self._last, at
        requested: dict[str, float] = defaultdict(float)
        allocatable: dict[str, float] = defaultdict(float)
        pending: Counter[str] = Counter()
        executors = 0
        for pod in self._pods.values():
            if not pod.node:
                pending[pod.part] += 1
            if pod.running:
                self.core_seconds[pod.job] += pod.cores * passed
                executors += pod.part == SparkRole.EXECUTOR
            if pod.node in self._alive and pod.part == SparkRole.EXECUTOR:
                requested[pod.workload] += pod.cores
        for name in self._alive:
            node = self.nodes[name]
            if node.role == SparkRole.EXECUTOR:
                allocatable[node.workload] += node.cores
        hourly = sum(self._bought.values())
        self.cost += hourly * passed * self._speed / 3600
        self._note_packing(requested, allocatable, passed)
        sample = Sample(
            at=at,
            nodes=Counter(
                (self.nodes[name].zone, self.nodes[name].capacity_type) for name in self._alive
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

    def _note_packing(
        self, requested: Mapping[str, float], allocatable: Mapping[str, float], passed: float
    ) -> None:
        for workload, bought in allocatable.items():
            packing, used = self.packing[workload], requested.get(workload, 0.0)
            packing.requested += used * passed
            packing.allocatable += bought * passed
            if used > packing.peak_requested:
                packing.peak_requested, packing.peak_allocatable = used, bought


def pod_cores(spec: Object) -> float:
    """Return the cores that the containers of a pod request."""
    requests = (
        mapping(mapping(mapping(container).get("resources")).get("requests"))
        for container in sequence(spec.get("containers"))
    )
    return sum(cores(str(request.get("cpu", "0"))) for request in requests)


def cores(quantity: str) -> float:
    """Return a Kubernetes quantity of CPU as cores."""
    suffix = quantity.lstrip("0123456789.")
    return float(quantity.removesuffix(suffix)) * _SUFFIXES[suffix]
