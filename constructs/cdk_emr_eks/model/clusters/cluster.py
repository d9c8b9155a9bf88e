"""The EKS cluster of a platform as a plain value."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import field
from enum import StrEnum
from ipaddress import IPv4Network
from types import MappingProxyType
from typing import Final

from cdk_emr_eks import labels
from cdk_emr_eks.checks import Check
from cdk_emr_eks.model.access.execution_role import RETENTION_DAYS
from cdk_emr_eks.model.clusters.addon_mirror import AddonMirror
from cdk_emr_eks.names import cluster_name
from cdk_emr_eks.values import value
from cdk_emr_eks.versions import EKS_ADDONS, KUBERNETES

# Node selector of pods on the system nodes: add-ons and Karpenter.
SYSTEM_SELECTOR: Final[Mapping[str, str]] = MappingProxyType({labels.SYSTEM: "true"})

# Tolerations of the system nodes' taint.
SYSTEM_TOLERATIONS: Final[tuple[Mapping[str, str], ...]] = (
    MappingProxyType({"key": labels.SYSTEM, "operator": "Exists", "effect": "NoSchedule"}),
)

_GRAVITON: Final = re.compile(r"[a-z]+\d+g[a-z]*\.(?:large|\d*xlarge)")
_BUILD: Final = re.compile(r"v\d+\.\d+\.\d+-eksbuild\.\d+")
# Source: https://docs.aws.amazon.com/eks/latest/userguide/service-quotas.html
_MAX_PUBLIC_CIDRS: Final = 40
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


@value
class ClusterSpec:
    """A new EKS cluster with its managed add-ons and system nodes.

    Args:
        name: Name of the cluster: a literal, since IAM policies hold it in condition keys.
        version: Kubernetes version, one of those in ``versions.EKS_ADDONS``.
        public_access_cidrs: IPv4 blocks that can reach the API server over the internet. Empty:
            only the VPC reaches it.
        log_types: Control plane logs that EKS writes to CloudWatch. Default: all. ``audit`` has
            most of the volume.
        log_days: Days that CloudWatch keeps them.
        system_instance_types: Graviton types of the system nodes, tried in this order; size large
            or bigger.
        system_nodes: System nodes, spread over the zones; at least 2, so that one can fail.
        addon_versions: Other versions of managed add-ons, by add-on name.
        service_cidr: Addresses of Services in the cluster: a private block of /12 to /24 that
            overlaps neither the VPC nor a network that jobs reach. It is set here and not by EKS,
            since the network rules of tenants exclude it. Immutable: a change replaces the cluster.
        mirror: Registry for charts and images of add-ons. None: ECR Public and GitHub, which a
            network without internet access does not reach.

    Raises:
        ConfigError: If EKS does not accept a value, or the whole internet could reach the API
            server.
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

    def _rules(self, check: Check) -> None:
        check.add(cluster_name("name", self.name))
        check.one_of("version", sorted(EKS_ADDONS))
        self._check_access(check)
        check.unique("log_types")
        check.one_of("log_days", RETENTION_DAYS, what="one of CloudWatch's steps")
        check.not_empty("system_instance_types")
        check.matches(
            "system_instance_types",
            _GRAVITON,
            "Graviton types of size large or bigger, such as 'm7g.large'",
        )
        check.at_least("system_nodes", 2)
        self._check_services(check)
        names = EKS_ADDONS[KUBERNETES]
        for name, build in self.addon_versions.items():
            rule = f"must name managed add-ons ({', '.join(names)})"
            check.require(name in names, "addon_versions", rule, name)
            rule = "must be versions such as 'v1.23.2-eksbuild.1'"
            check.require(bool(_BUILD.fullmatch(build)), "addon_versions", rule, build)

    def addon_version(self, name: str) -> str:
        """Return the version of a managed add-on: the user's, or the pinned version."""
        return self.addon_versions.get(name, EKS_ADDONS[self.version][name])

    def _check_access(self, check: Check) -> None:
        check.at_most_items("public_access_cidrs", _MAX_PUBLIC_CIDRS, what="blocks")
        for text in self.public_access_cidrs:
            try:
                block = IPv4Network(text)
            except ValueError:
                rule = "must be IPv4 blocks such as '203.0.113.0/24'"
                check.require(False, "public_access_cidrs", rule, text)
                continue
            fix = "leave it empty for a private API server"
            rule = "must not open the API server to the whole internet"
            check.require(block.prefixlen > 0, "public_access_cidrs", rule, text, fix)
            internal = any(block.subnet_of(other) for other in _INTERNAL)
            rule = "must be internet addresses; private ones reach the API server from the VPC"
            check.require(not internal, "public_access_cidrs", rule, text)

    def _check_services(self, check: Check) -> None:
        # Source: https://docs.aws.amazon.com/eks/latest/APIReference/API_KubernetesNetworkConfigRequest.html
        rule = "must be a block of /12 to /24 in 10.0.0.0/8, 172.16.0.0/12 or 192.168.0.0/16"
        try:
            block = IPv4Network(self.service_cidr)
        except ValueError:
            check.require(False, "service_cidr", rule, self.service_cidr)
            return
        fits = 12 <= block.prefixlen <= 24 and any(map(block.subnet_of, _INTERNAL[:3]))
        check.require(fits, "service_cidr", rule, self.service_cidr)
