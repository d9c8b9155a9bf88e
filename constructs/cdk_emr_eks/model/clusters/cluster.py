"""The EKS cluster of a platform as a plain value."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from ipaddress import IPv4Network
from types import MappingProxyType
from typing import Final

from cdk_emr_eks import labels
from cdk_emr_eks.errors import Problems
from cdk_emr_eks.field_types import check_types, hold_mappings
from cdk_emr_eks.model.access.execution_role import RETENTION_DAYS
from cdk_emr_eks.model.clusters.addon_mirror import AddonMirror
from cdk_emr_eks.names import cluster_name
from cdk_emr_eks.versions import EKS_ADDONS, KUBERNETES

SYSTEM_SELECTOR: Final[Mapping[str, str]] = MappingProxyType({labels.SYSTEM: "true"})
"""Node selector of what runs on the system nodes: add-ons and Karpenter."""

SYSTEM_TOLERATIONS: Final[tuple[Mapping[str, str], ...]] = (
    MappingProxyType({"key": labels.SYSTEM, "operator": "Exists", "effect": "NoSchedule"}),
)
"""Tolerations of the system nodes' taint."""

_GRAVITON: Final = re.compile(r"[a-z]+\d+g[a-z]*\.(?:large|\d*xlarge)")
_BUILD: Final = re.compile(r"v\d+\.\d+\.\d+-eksbuild\.\d+")
_MAX_PUBLIC_CIDRS: Final = 40
# Source: https://docs.aws.amazon.com/eks/latest/userguide/service-quotas.html
_INTERNAL: Final = tuple(
    IPv4Network(block)
    for block in (
        "10.0.0.0/8",
        "172.16.0.0/12",
        "192.168.0.0/16",
        "100.64.0.0/10",
        "127.0.0.0/8",
    )
)


class ControlPlaneLogType(StrEnum):
    """A log of the EKS control plane."""

    API = "api"
    AUDIT = "audit"
    AUTHENTICATOR = "authenticator"
    CONTROLLER_MANAGER = "controllerManager"
    SCHEDULER = "scheduler"


@dataclass(frozen=True, kw_only=True, slots=True)
class ClusterSpec:
    """A new EKS cluster with its managed add-ons and system nodes.

    Args:
        name: Name of the cluster: a literal, since IAM policies hold it in condition keys.
        version: Kubernetes version, one that ``versions.EKS_ADDONS`` has add-ons for.
        public_access_cidrs: IPv4 blocks that may reach the API server over the internet. Empty: it
            is reached from the VPC only.
        log_types: Control plane logs that go to CloudWatch. All by default; ``audit`` is the most
            of their volume.
        log_days: Days that CloudWatch keeps them.
        system_instance_types: Graviton types of the system nodes, tried in this order; large or
            bigger.
        system_nodes: System nodes, spread over the zones; at least 2, so that one may fail.
        addon_versions: Other versions of managed add-ons, by add-on name.
        service_cidr: Addresses of Services in the cluster: a private block of /12 to /24 that is
            neither the VPC's nor of a network that jobs reach. EKS would choose one by itself; it
            is fixed here, since the rules of tenants leave it out. Immutable: a change replaces
            the cluster.
        mirror: Where charts and images of add-ons are pulled from. None: ECR Public and GitHub,
            which a network without a way to the internet does not reach.

    Raises:
        ConfigError: If a value is not one that EKS takes, or the API server would be open to all.
    """

    name: str = "emr-on-eks"
    version: str = KUBERNETES
    public_access_cidrs: tuple[str, ...] = ()
    log_types: tuple[ControlPlaneLogType, ...] = tuple(ControlPlaneLogType)
    log_days: int = 90
    system_instance_types: tuple[str, ...] = ("m7g.large", "m8g.large", "m6g.large")
    system_nodes: int = 2
    addon_versions: Mapping[str, str] = field(default_factory=dict)
    service_cidr: str = "172.20.0.0/16"
    mirror: AddonMirror | None = None

    def __post_init__(self) -> None:
        check_types(f"ClusterSpec {self.name!r}", self)
        hold_mappings(self)
        problems = Problems(f"ClusterSpec {self.name!r}")
        problems.extend(cluster_name("name", self.name))
        known = ", ".join(sorted(EKS_ADDONS))
        rule = f"must be one of {known}"
        problems.require(self.version in EKS_ADDONS, "version", rule, self.version)
        self._check_access(problems)
        self._check_logs(problems)
        self._check_nodes(problems)
        self._check_services(problems)
        names = EKS_ADDONS[KUBERNETES]
        for name, build in self.addon_versions.items():
            rule = f"must name managed add-ons ({', '.join(names)})"
            problems.require(name in names, "addon_versions", rule, name)
            fits = bool(_BUILD.fullmatch(build))
            rule = "must be versions such as 'v1.23.2-eksbuild.1'"
            problems.require(fits, "addon_versions", rule, build)
        problems.raise_if_any()

    def addon_version(self, name: str) -> str:
        """Return the version of a managed add-on: the user's, or the pinned one."""
        return self.addon_versions.get(name, EKS_ADDONS[self.version][name])

    def _check_access(self, problems: Problems) -> None:
        count = len(self.public_access_cidrs)
        rule = f"must be at most {_MAX_PUBLIC_CIDRS} blocks"
        problems.require(count <= _MAX_PUBLIC_CIDRS, "public_access_cidrs", rule, count)
        for text in self.public_access_cidrs:
            try:
                block = IPv4Network(text)
            except ValueError:
                rule = "must be IPv4 blocks such as '203.0.113.0/24'"
                problems.require(False, "public_access_cidrs", rule, text)
                continue
            fix = "leave it empty for a private API server"
            rule = "must not open the API server to the whole internet"
            problems.require(block.prefixlen > 0, "public_access_cidrs", rule, text, fix)
            internal = any(block.subnet_of(other) for other in _INTERNAL)
            rule = "must be internet addresses; private ones reach the API server from the VPC"
            problems.require(not internal, "public_access_cidrs", rule, text)

    def _check_logs(self, problems: Problems) -> None:
        once = len(set(self.log_types)) == len(self.log_types)
        problems.require(
            once, "log_types", "must not repeat a type", tuple(map(str, self.log_types))
        )
        steps = ", ".join(str(step) for step in RETENTION_DAYS)
        rule = f"must be one of CloudWatch's steps ({steps})"
        problems.require(self.log_days in RETENTION_DAYS, "log_days", rule, self.log_days)

    def _check_services(self, problems: Problems) -> None:
        # Source: https://docs.aws.amazon.com/eks/latest/APIReference/API_KubernetesNetworkConfigRequest.html
        rule = "must be a block of /12 to /24 in 10.0.0.0/8, 172.16.0.0/12 or 192.168.0.0/16"
        try:
            block = IPv4Network(self.service_cidr)
        except ValueError:
            problems.require(False, "service_cidr", rule, self.service_cidr)
            return
        fits = 12 <= block.prefixlen <= 24 and any(map(block.subnet_of, _INTERNAL[:3]))
        problems.require(fits, "service_cidr", rule, self.service_cidr)

    def _check_nodes(self, problems: Problems) -> None:
        types = self.system_instance_types
        problems.require(bool(types), "system_instance_types", "must have at least one type")
        for each in types:
            rule = "must be Graviton types of size large or bigger, such as 'm7g.large'"
            fits = bool(_GRAVITON.fullmatch(each))
            problems.require(fits, "system_instance_types", rule, each)
        enough = self.system_nodes >= 2
        problems.require(enough, "system_nodes", "must be at least 2", self.system_nodes)
