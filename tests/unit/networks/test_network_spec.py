"""The address plan, and every value of NetworkSpec that is refused."""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import IPv4Network
from itertools import combinations
from typing import Any

import pytest

from cdk_emr_eks.errors import ConfigError
from cdk_emr_eks.model.networks.network import Nat, NetworkSpec
from tests.refusals import refused

_STEPS = (
    "1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, "
    "3288, 3653"
)
_BLOCK = "must be an IPv4 block of /16 to /28"
_ZONES = "must be 2 to 6 different zones of one region, such as ('us-east-1a', 'us-east-1b')"

REFUSED: tuple[tuple[Mapping[str, object], str], ...] = (
    ({"zones": 1}, "zones must be from 2 to 6, got 1"),
    ({"zones": 7}, "zones must be from 2 to 6, got 7"),
    ({"zones": True}, "zones must be a whole number or a tuple of text, got True"),
    (
        {"zones": ["a", "b"]},
        "zones must be a whole number or a tuple of text, got ['a', 'b']; write ('a', 'b')",
    ),
    ({"zones": ("us-east-1a",)}, f"zones {_ZONES}, got ('us-east-1a',)"),
    (
        {"zones": ("us-east-1a", "us-east-1a")},
        f"zones {_ZONES}, got ('us-east-1a', 'us-east-1a')",
    ),
    (
        {"zones": ("us-east-1a", "us-east-2b")},
        f"zones {_ZONES}, got ('us-east-1a', 'us-east-2b')",
    ),
    ({"zones": ("us-east-1", "b")}, f"zones {_ZONES}, got ('us-east-1', 'b')"),
    ({"cidr": "10.0.0.0"}, f"cidr {_BLOCK}, got '10.0.0.0'"),
    ({"cidr": "10.0.0.0/8"}, f"cidr {_BLOCK}, got '10.0.0.0/8'"),
    ({"cidr": "10.0.0.5/16"}, f"cidr {_BLOCK}, got '10.0.0.5/16'; try '10.0.0.0/16'"),
    ({"cidr": "ten"}, f"cidr {_BLOCK}, got 'ten'"),
    ({"cidr": 10}, "cidr must be text, got 10; write '10'"),
    ({"cidr": "10.0.0.0/29"}, f"cidr {_BLOCK}, got '10.0.0.0/29'"),
    ({"cidr": "10.0.0.0/28"}, "cidr must be /24 or larger for 3 zones, got '10.0.0.0/28'"),
    ({"cidr": "10.0.0.0/25"}, "cidr must be /24 or larger for 3 zones, got '10.0.0.0/25'"),
    (
        {"cidr": "10.0.0.0/24", "zones": 6},
        "cidr must be /22 or larger for 6 zones, got '10.0.0.0/24'",
    ),
    ({"pod_cidr": "fd00::/64"}, f"pod_cidr {_BLOCK}, got 'fd00::/64'"),
    (
        {"pod_cidr": "10.0.128.0/17"},
        "pod_cidr must not overlap cidr '10.0.0.0/16', got '10.0.128.0/17'",
    ),
    (
        {"pod_cidr": "172.16.0.0/16"},
        "pod_cidr must be of 100.64.0.0/10 or of the private range of cidr '10.0.0.0/16', "
        "got '172.16.0.0/16'; try '100.64.0.0/16'",
    ),
    (
        {"pod_cidr": "100.64.0.0/23"},
        "pod_cidr must give each of 3 zones at least a /24, got '100.64.0.0/23'",
    ),
    (
        {"nat": "one"},
        "nat must be one of Nat.ONE, Nat.PER_ZONE, Nat.NONE, got 'one'; write Nat.ONE",
    ),
    (
        {"nat": Nat.NONE},
        "interface_endpoints must be True with nat=Nat.NONE, or nodes cannot join the cluster, "
        "got False",
    ),
    (
        {"flow_log_days": 45},
        f"flow_log_days must be one of CloudWatch's steps ({_STEPS}), got 45",
    ),
)


@pytest.mark.parametrize(("values", "message"), REFUSED)
def test_invalid_input_is_refused(values: Mapping[str, Any], message: str) -> None:
    assert refused(lambda: NetworkSpec(**values)) == f"NetworkSpec: {message}."


def test_one_error_reports_all_problems() -> None:
    with pytest.raises(ConfigError) as caught:
        NetworkSpec(cidr="x", zones=9, flow_log_days=2)
    assert caught.value.fields == ("zones", "cidr", "flow_log_days")


@pytest.mark.parametrize("zones", [2, 3, 4, 5, 6])
@pytest.mark.parametrize("cidr", ["10.0.0.0/16", "10.1.0.0/19", "10.2.0.0/22"])
def test_plan_has_disjoint_subnets_inside_their_blocks(zones: int, cidr: str) -> None:
    spec = NetworkSpec(cidr=cidr, zones=zones)
    plan = spec.plan()
    assert {len(plan.public), len(plan.nodes), len(plan.pods), len(plan.reserved)} == {zones}
    for first, second in combinations((*plan.public, *plan.nodes, *plan.pods), 2):
        assert not first.overlaps(second)
    vpc = IPv4Network(cidr)
    assert all(subnet.subnet_of(vpc) for subnet in (*plan.public, *plan.nodes))
    assert all(subnet.subnet_of(IPv4Network(spec.pod_cidr)) for subnet in plan.pods)
    # Private subnets are larger than public ones.
    assert plan.nodes[0].num_addresses > plan.public[0].num_addresses
    for pod, reserved in zip(plan.pods, plan.reserved, strict=True):
        assert all(block.subnet_of(pod) for block in reserved)
        kept = sum(block.num_addresses for block in reserved)
        assert kept == pod.num_addresses * 3 // 4


def test_plan_of_the_defaults() -> None:
    plan = NetworkSpec().plan()
    assert [str(block) for block in plan.public] == ["10.0.0.0/24", "10.0.1.0/24", "10.0.2.0/24"]
    assert [str(block) for block in plan.nodes] == [
        "10.0.64.0/18",
        "10.0.128.0/18",
        "10.0.192.0/18",
    ]
    assert [str(block) for block in plan.pods] == [
        "100.64.0.0/18",
        "100.64.64.0/18",
        "100.64.128.0/18",
    ]
    assert [str(block) for block in plan.reserved[0]] == ["100.64.16.0/20", "100.64.32.0/19"]


def test_without_nat_there_is_no_public_subnet() -> None:
    plan = NetworkSpec(nat=Nat.NONE, interface_endpoints=True).plan()
    assert plan.public == ()
    assert len(plan.nodes) == 3


def test_pods_per_zone_counts_reserved_prefixes_of_full_nodes() -> None:
    # 12,288 reserved addresses, 8 prefixes of 16 a node: 96 nodes of 110 pods.
    assert NetworkSpec().pods_per_zone() == 96 * 110


def test_small_node_subnets_limit_pods_per_zone() -> None:
    # A /24 leaves a /26 to each zone's nodes: 59 nodes.
    assert NetworkSpec(cidr="10.0.0.0/24").pods_per_zone() == 59 * 110


def test_pods_may_share_the_private_range_of_the_vpc() -> None:
    assert NetworkSpec(pod_cidr="10.8.0.0/16").pods_per_zone() == 96 * 110


def test_smallest_blocks_named_in_errors_are_accepted() -> None:
    assert NetworkSpec(cidr="10.0.0.0/24").plan().nodes[0].prefixlen == 26
    assert NetworkSpec(cidr="10.0.0.0/22", zones=6).plan().nodes[0].prefixlen == 25


def test_without_nat_the_first_part_of_the_vpc_is_for_nodes() -> None:
    plan = NetworkSpec(nat=Nat.NONE, interface_endpoints=True).plan()
    assert plan.public == ()
    assert plan.nodes[0].network_address == IPv4Network("10.0.0.0/16").network_address


@pytest.mark.parametrize(("zones", "length"), [(2, 24), (3, 24), (4, 23), (5, 22), (6, 22)])
def test_the_smallest_vpc_follows_from_the_zones(zones: int, length: int) -> None:
    assert len(NetworkSpec(cidr=f"10.0.0.0/{length}", zones=zones).plan().nodes) == zones
    with pytest.raises(ConfigError, match=f"cidr must be /{length} or larger for {zones} zones"):
        NetworkSpec(cidr=f"10.0.0.0/{length + 1}", zones=zones)


# EC2 adds no block of one private range to a VPC in another. Each range is given by its first and
# its last /16.
PRIVATE_RANGES = {
    "10.0.0.0/8": ("10.0.0.0/16", "10.255.0.0/16"),
    "172.16.0.0/12": ("172.16.0.0/16", "172.31.0.0/16"),
    "192.168.0.0/16": ("192.168.0.0/17", "192.168.128.0/17"),
    "198.19.0.0/16": ("198.19.0.0/17", "198.19.128.0/17"),
}
OTHER_RANGES = ("100.64.0.0/16", "11.0.0.0/16", "172.32.0.0/16", "198.18.0.0/16")


@pytest.mark.parametrize("blocks", PRIVATE_RANGES.values(), ids=PRIVATE_RANGES)
def test_both_blocks_can_be_of_one_private_range(blocks: tuple[str, str]) -> None:
    first, last = blocks
    assert NetworkSpec(cidr=first, pod_cidr=last, zones=2).plan().pods[0].prefixlen > 16
    assert NetworkSpec(cidr=last, pod_cidr=first, zones=2).plan().pods[0].prefixlen > 16


@pytest.mark.parametrize("name", PRIVATE_RANGES)
def test_pods_cannot_be_of_another_private_range(name: str) -> None:
    for other, blocks in PRIVATE_RANGES.items():
        for cidr in PRIVATE_RANGES[name] if other != name else ():
            for pods in blocks:
                with pytest.raises(ConfigError, match="private range of cidr") as caught:
                    NetworkSpec(cidr=cidr, pod_cidr=pods, zones=2)
                assert caught.value.fields == ("pod_cidr",)


@pytest.mark.parametrize("block", OTHER_RANGES)
def test_pods_can_be_outside_of_the_private_ranges(block: str) -> None:
    for first, _ in PRIVATE_RANGES.values():
        NetworkSpec(cidr=first, pod_cidr=block, zones=2)
        with pytest.raises(ConfigError, match="private range of cidr"):
            NetworkSpec(cidr=block, pod_cidr=first, zones=2)


@pytest.mark.parametrize(("zones", "length"), [(2, 23), (3, 22), (4, 22), (5, 21), (6, 21)])
def test_each_zone_has_at_least_256_addresses_for_pods(zones: int, length: int) -> None:
    plan = NetworkSpec(pod_cidr=f"100.64.0.0/{length}", zones=zones).plan()
    assert {pod.num_addresses for pod in plan.pods} == {256}
    with pytest.raises(ConfigError, match=f"give each of {zones} zones at least a /24"):
        NetworkSpec(pod_cidr=f"100.64.0.0/{length + 1}", zones=zones)
