"""Every value of ClusterSpec that is refused, and what is accepted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from cdk_emr_eks.errors import ConfigError
from cdk_emr_eks.model.clusters.cluster import ClusterSpec, ControlPlaneLogType
from cdk_emr_eks.versions import EKS_ADDONS, KUBERNETES
from tests.refusals import refused

_ADDONS = "vpc-cni, kube-proxy, eks-pod-identity-agent, coredns, aws-ebs-csi-driver, metrics-server"
_GRAVITON = "must be Graviton types of size large or bigger, such as 'm7g.large'"
_ACCESS = "public_access_cidrs must"

REFUSED: tuple[tuple[Mapping[str, object], str], ...] = (
    (
        {"name": "my cluster"},
        "ClusterSpec 'my cluster': name must be an EKS cluster name (letters, digits, - _) of 1 to "
        "100 characters, got 'my cluster'.",
    ),
    (
        {"name": "${Token[TOKEN.1]}"},
        "ClusterSpec '${Token[TOKEN.1]}': name must be known at synth, not a token, "
        "got '${Token[TOKEN.1]}'.",
    ),
    ({"version": "1.99"}, "version must be one of 1.35, 1.36, got '1.99'"),
    ({"version": 1.36}, "version must be text, got 1.36; write '1.36'"),
    (
        {"public_access_cidrs": ("0.0.0.0/0",)},
        f"{_ACCESS} not open the API server to the whole internet, got '0.0.0.0/0'; leave it empty "
        "for a private API server",
    ),
    (
        {"public_access_cidrs": ("10.0.0.0/8",)},
        f"{_ACCESS} be internet addresses; private ones reach the API server from the VPC, "
        "got '10.0.0.0/8'",
    ),
    (
        {"public_access_cidrs": ("office",)},
        f"{_ACCESS} be IPv4 blocks such as '203.0.113.0/24', got 'office'",
    ),
    (
        {"public_access_cidrs": ("203.0.113.9/24",)},
        f"{_ACCESS} be IPv4 blocks such as '203.0.113.0/24', got '203.0.113.9/24'",
    ),
    (
        {"public_access_cidrs": tuple(f"203.0.113.{n}/32" for n in range(41))},
        "public_access_cidrs must have at most 40 blocks, got 41",
    ),
    (
        {"service_cidr": "172.20.0.5/16"},
        "service_cidr must be a block of /12 to /24 in 10.0.0.0/8, 172.16.0.0/12 or "
        "192.168.0.0/16, got '172.20.0.5/16'",
    ),
    (
        {"service_cidr": "100.64.0.0/16"},
        "service_cidr must be a block of /12 to /24 in 10.0.0.0/8, 172.16.0.0/12 or "
        "192.168.0.0/16, got '100.64.0.0/16'",
    ),
    (
        {"service_cidr": "10.0.0.0/8"},
        "service_cidr must be a block of /12 to /24 in 10.0.0.0/8, 172.16.0.0/12 or "
        "192.168.0.0/16, got '10.0.0.0/8'",
    ),
    (
        {"log_types": (ControlPlaneLogType.API, ControlPlaneLogType.API)},
        "log_types must not repeat a value, got 'api'",
    ),
    (
        {"log_types": ("api",)},
        "log_types must be a tuple of ControlPlaneLogType, got 'api'; "
        "write ControlPlaneLogType.API",
    ),
    ({"system_instance_types": ()}, "system_instance_types must not be empty"),
    (
        {"system_instance_types": ("m5.large",)},
        f"system_instance_types {_GRAVITON}, got 'm5.large'",
    ),
    (
        {"system_instance_types": ("t4g.medium",)},
        f"system_instance_types {_GRAVITON}, got 't4g.medium'",
    ),
    ({"system_nodes": 1}, "system_nodes must be at least 2, got 1"),
    ({"system_nodes": 2.5}, "system_nodes must be a whole number, got 2.5"),
    (
        {"addon_versions": {"karpenter": "v1.0.0-eksbuild.1"}},
        f"addon_versions must name managed add-ons ({_ADDONS}), got 'karpenter'",
    ),
    (
        {"addon_versions": {"coredns": "latest"}},
        "addon_versions must be versions such as 'v1.23.2-eksbuild.1', got 'latest'",
    ),
)


@pytest.mark.parametrize(("values", "message"), REFUSED)
def test_invalid_input_is_refused(values: Mapping[str, Any], message: str) -> None:
    whole = message if "name" in values else f"ClusterSpec 'emr-on-eks': {message}."
    assert refused(lambda: ClusterSpec(**values)) == whole


def test_log_days_are_steps_of_cloudwatch() -> None:
    with pytest.raises(ConfigError, match=r"log_days must be one of .*, 90, .*got 91"):
        ClusterSpec(log_days=91)


def test_one_error_reports_all_problems() -> None:
    with pytest.raises(ConfigError) as caught:
        ClusterSpec(version="1.2", system_nodes=0, log_days=2)
    assert caught.value.fields == ("version", "log_days", "system_nodes")


def test_addon_versions_are_pinned_unless_the_user_sets_one() -> None:
    spec = ClusterSpec(addon_versions={"coredns": "v1.14.8-eksbuild.1"})
    assert spec.addon_version("coredns") == "v1.14.8-eksbuild.1"
    assert spec.addon_version("vpc-cni") == EKS_ADDONS[KUBERNETES]["vpc-cni"]


def test_kube_proxy_follows_the_kubernetes_version() -> None:
    for version, addons in EKS_ADDONS.items():
        assert addons["kube-proxy"].startswith(f"v{version}.")
        assert addons.keys() == EKS_ADDONS[KUBERNETES].keys()


@pytest.mark.parametrize(
    ("block", "next_block"),
    [
        ("10.255.255.0/24", "11.0.0.0/24"),
        ("172.31.255.0/24", "172.32.0.0/24"),
        ("192.168.255.0/24", "192.169.0.0/24"),
        ("100.127.255.0/24", "100.128.0.0/24"),
        ("127.255.255.0/24", "128.0.0.0/24"),
    ],
)
def test_only_internet_addresses_can_reach_a_public_api_server(block: str, next_block: str) -> None:
    with pytest.raises(ConfigError, match="must be internet addresses"):
        ClusterSpec(public_access_cidrs=(block,))
    assert ClusterSpec(public_access_cidrs=(next_block,)).public_access_cidrs == (next_block,)


@pytest.mark.parametrize("block", ["10.0.0.0/12", "172.16.0.0/12", "192.168.255.0/24"])
def test_services_can_be_of_each_private_range(block: str) -> None:
    assert ClusterSpec(service_cidr=block).service_cidr == block


@pytest.mark.parametrize("block", ["127.0.0.0/16", "100.64.0.0/16", "172.32.0.0/16", "11.0.0.0/16"])
def test_services_cannot_be_of_other_ranges(block: str) -> None:
    with pytest.raises(ConfigError, match="service_cidr must be a block of /12 to /24"):
        ClusterSpec(service_cidr=block)
