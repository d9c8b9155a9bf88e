"""The instance table is EC2's, and the arithmetic of allocatable is Karpenter's."""

from __future__ import annotations

import gzip
import importlib.resources
import json
from collections.abc import Mapping
from typing import Any

import pytest

from cdk_emr_eks.labels import Architecture
from cdk_emr_eks.model.instances.instances import (
    DAEMONSET_REQUESTS,
    DAEMONSET_TOTAL,
    FAMILIES,
    KUBE_RESERVED_MEMORY,
    Instances,
    InstanceType,
    allocatable,
)
from cdk_emr_eks.units import Cpu, Memory
from tests.refusals import refused

_ARCHITECTURES = {Architecture.ARM64: "arm64", Architecture.AMD64: "x86_64"}


@pytest.fixture(scope="module")
def ec2() -> Mapping[str, Any]:
    """What DescribeInstanceTypes returned to moto's maintainers, by instance type."""
    data = importlib.resources.files("moto") / "ec2/resources/instance_types.json.gz"
    types: Mapping[str, Any] = json.loads(gzip.decompress(data.read_bytes()))
    return types


def only(family: str, size: str) -> InstanceType:
    return Instances(families=(family,), sizes=(size,)).types()[0]


@pytest.mark.parametrize("family", sorted(FAMILIES))
def test_each_size_of_a_family_is_as_ec2_describes_it(family: str, ec2: Mapping[str, Any]) -> None:
    row = FAMILIES[family]
    for size in row.sizes:
        known = ec2[f"{family}.{size}"]
        ours = only(family, size)
        assert ours.name == f"{family}.{size}"
        assert ours.vcpu == known["VCpuInfo"]["DefaultVCpus"]
        assert ours.memory.mib == known["MemoryInfo"]["SizeInMiB"]
        assert _ARCHITECTURES[ours.architecture] in known["ProcessorInfo"]["SupportedArchitectures"]
        nvme = known.get("InstanceStorageInfo", {}).get("NvmeSupport") == "required"
        assert ours.local_nvme is nvme


@pytest.mark.parametrize("family", sorted(FAMILIES))
def test_no_size_of_a_family_is_missing(family: str, ec2: Mapping[str, Any]) -> None:
    sizes = {name.partition(".")[2] for name in ec2 if name.partition(".")[0] == family}
    usable = {size for size in sizes if "metal" not in size and size != "medium"}
    assert set(FAMILIES[family].sizes) == usable


def test_types_come_small_to_large_and_by_architecture() -> None:
    both = Instances(families=("m7g", "m7i"), sizes=("4xlarge", "2xlarge"))
    assert [each.name for each in both.types()] == [
        "m7g.2xlarge",
        "m7i.2xlarge",
        "m7g.4xlarge",
        "m7i.4xlarge",
    ]
    assert [each.name for each in both.types(Architecture.AMD64)] == ["m7i.2xlarge", "m7i.4xlarge"]


def test_a_size_can_be_missing_in_some_families() -> None:
    some = Instances(families=("m7g", "m8g"), sizes=("16xlarge", "24xlarge"))
    assert [each.name for each in some.types()] == ["m7g.16xlarge", "m8g.16xlarge", "m8g.24xlarge"]


@pytest.mark.parametrize(
    ("family", "size", "millicores", "mib"),
    [
        # Computed by hand from kubeReservedResources, memory() and evictionThreshold() of Karpenter
        # 1.14.1: 8 vCPUs reserve 60 + 10 + 10 + 10 millicores; 32 GiB minus 64 MiB on arm64, minus
        # 7.5 % rounded up, minus 11 x 110 + 255, minus 100.
        ("m7g", "large", 2000 - 70, 8192 - 64 - 610 - 1465 - 100),
        ("m7g", "xlarge", 4000 - 80, 16384 - 64 - 1224 - 1465 - 100),
        ("m7g", "2xlarge", 8000 - 90, 32768 - 64 - 2453 - 1465 - 100),
        ("m7i", "2xlarge", 8000 - 90, 32768 - 2458 - 1465 - 100),
        ("m7g", "8xlarge", 32000 - 150, 131072 - 64 - 9826 - 1465 - 100),
        ("m7i", "48xlarge", 192000 - 550, 786432 - 58983 - 1465 - 100),
    ],
)
def test_allocatable_is_what_karpenter_computes(
    family: str, size: str, millicores: int, mib: int
) -> None:
    assert allocatable(only(family, size)) == (Cpu(millicores), Memory(mib))


def test_the_kubelet_reserves_memory_for_110_pods() -> None:
    assert KUBE_RESERVED_MEMORY.kubernetes == "1465Mi"


def test_daemonset_total_counts_each_container() -> None:
    containers = {each.addon: each.containers for each in DAEMONSET_REQUESTS}
    assert containers == {
        "vpc-cni": ("aws-node", "aws-eks-nodeagent"),
        "kube-proxy": ("kube-proxy",),
        "aws-ebs-csi-driver": ("ebs-plugin", "node-driver-registrar", "liveness-probe"),
        "eks-pod-identity-agent": ("eks-pod-identity-agent",),
    }
    assert (Cpu(190), Memory(344)) == DAEMONSET_TOTAL


@pytest.mark.parametrize(
    ("families", "sizes", "message"),
    [
        (
            (),
            ("large",),
            "Instances: families must not be empty.",
        ),
        (
            "m7g",
            ("large",),
            "Instances: families must be a tuple of text, got 'm7g'; write ('m7g',).",
        ),
        (("m7g",), (), "Instances: sizes must not be empty."),
        (
            ("m7g", "m7g"),
            ("large",),
            "Instances: families must not repeat a value, got 'm7g'.",
        ),
        (
            ("m7gg",),
            ("large",),
            "Instances: families must be families of the library's table, got 'm7gg'; did you "
            "mean m7g or m7gd?",
        ),
        (
            ("m7g",),
            ("24xlarge",),
            "Instances: families must each have one of the sizes 24xlarge, got 'm7g'; m7g has "
            "large, xlarge, 2xlarge, 4xlarge, 8xlarge, 12xlarge, 16xlarge.",
        ),
        (
            ("m7g",),
            ("large", "metal"),
            "Instances: sizes must be sizes from 'large' up, without bare metal, got 'metal'.",
        ),
        (
            ("t3",),
            ("2xlage",),
            "Instances:\n"
            "  - families must be families of the library's table, got 't3'.\n"
            "  - sizes must be sizes from 'large' up, without bare metal, got '2xlage'; did you "
            "mean 2xlarge or 32xlarge or 24xlarge?",
        ),
    ],
)
def test_invalid_instances_are_refused(
    families: tuple[str, ...], sizes: tuple[str, ...], message: str
) -> None:
    assert refused(lambda: Instances(families=families, sizes=sizes)) == message
