"""EC2 instance families for Spark: the table that a contributor adds a row to.

The table has what sizing needs: architecture, memory for each vCPU, local NVMe disks, sizes.
Families with burstable CPU, with accelerators or with a memory ratio that differs from size to size
are left out: an executor shape computed for one size would not fit the next.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from cdk_emr_eks.labels import Architecture

_ARM: Final = Architecture.ARM64
_X86: Final = Architecture.AMD64

# Sizes of the rows below. 'medium' is left out, since no shape fits. Bare metal is left out, since
# it boots too slowly for a pool that follows jobs.
_TO_16: Final = "large xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge"
_TO_24: Final = f"{_TO_16} 24xlarge"
_TO_32: Final = f"{_TO_24} 32xlarge"
_TO_48: Final = f"{_TO_24} 48xlarge"
_ALL_48: Final = f"{_TO_32} 48xlarge"
_ALL_96: Final = f"{_ALL_48} 96xlarge"
_OLD_C: Final = "large xlarge 2xlarge 4xlarge 9xlarge 12xlarge 18xlarge 24xlarge"
_STORAGE: Final = "large xlarge 2xlarge 3xlarge 6xlarge 12xlarge"

# families, architecture, GiB for each vCPU, local NVMe, sizes
_ROWS: Final[tuple[tuple[str, Architecture, int, bool, str], ...]] = (
    ("c6g c7g", _ARM, 2, False, _TO_16),
    ("c6gd c7gd", _ARM, 2, True, _TO_16),
    ("c8g c9g", _ARM, 2, False, _TO_48),
    ("c8gd c9gd", _ARM, 2, True, _TO_48),
    ("m6g m7g", _ARM, 4, False, _TO_16),
    ("m6gd m7gd", _ARM, 4, True, _TO_16),
    ("m8g m9g", _ARM, 4, False, _TO_48),
    ("m8gd m9gd", _ARM, 4, True, _TO_48),
    ("r6g r7g", _ARM, 8, False, _TO_16),
    ("r6gd r7gd", _ARM, 8, True, _TO_16),
    ("r8g r9g", _ARM, 8, False, _TO_48),
    ("r8gd r9gd", _ARM, 8, True, _TO_48),
    ("x2gd", _ARM, 16, True, _TO_16),
    ("x8g", _ARM, 16, False, _TO_48),
    ("i4g", _ARM, 8, True, "large xlarge 2xlarge 4xlarge 8xlarge 16xlarge"),
    ("i8g", _ARM, 8, True, _TO_48),
    ("im4gn", _ARM, 4, True, "large xlarge 2xlarge 4xlarge 8xlarge 16xlarge"),
    ("is4gen", _ARM, 6, True, "large xlarge 2xlarge 4xlarge 8xlarge"),
    ("c5", _X86, 2, False, _OLD_C),
    ("c5d", _X86, 2, True, _OLD_C),
    ("c5a", _X86, 2, False, _TO_24),
    ("c5ad", _X86, 2, True, _TO_24),
    ("c6a c7a", _X86, 2, False, _ALL_48),
    ("c6i c6in", _X86, 2, False, _TO_32),
    ("c6id", _X86, 2, True, _TO_32),
    ("c7i c8a", _X86, 2, False, _TO_48),
    ("c8i", _X86, 2, False, _ALL_96),
    ("c8id", _X86, 2, True, _ALL_96),
    ("m5 m5a m5n", _X86, 4, False, _TO_24),
    ("m5d m5ad m5dn", _X86, 4, True, _TO_24),
    ("m6a m7a", _X86, 4, False, _ALL_48),
    ("m6i m6in", _X86, 4, False, _TO_32),
    ("m6id m6idn", _X86, 4, True, _TO_32),
    ("m7i m8a", _X86, 4, False, _TO_48),
    ("m8i", _X86, 4, False, _ALL_96),
    ("m8id", _X86, 4, True, _ALL_96),
    ("r5 r5a r5b r5n", _X86, 8, False, _TO_24),
    ("r5d r5ad r5dn", _X86, 8, True, _TO_24),
    ("r6a r7a", _X86, 8, False, _ALL_48),
    ("r6i r6in", _X86, 8, False, _TO_32),
    ("r6id r6idn", _X86, 8, True, _TO_32),
    ("r7i r8a", _X86, 8, False, _TO_48),
    ("r8i", _X86, 8, False, _ALL_96),
    ("r8id", _X86, 8, True, _ALL_96),
    ("i3en", _X86, 8, True, f"{_STORAGE} 24xlarge"),
    ("i4i", _X86, 8, True, _TO_32),
    ("i7i", _X86, 8, True, _TO_48),
    ("i7ie", _X86, 8, True, f"{_STORAGE} 18xlarge 24xlarge 48xlarge"),
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Family:
    """An EC2 instance family.

    Args:
        name: EC2's name: ``m7gd``.
        architecture: CPU architecture of all sizes.
        memory_per_vcpu_gib: GiB of memory for each vCPU, the same in every size.
        local_nvme: Whether all sizes have local NVMe disks.
        sizes: Sizes of the family, small to large.
    """

    name: str
    architecture: Architecture
    memory_per_vcpu_gib: int
    local_nvme: bool
    sizes: tuple[str, ...]


# Every family that the library supports, by name. A test compares families and sizes with EC2's
# DescribeInstanceTypes data.
# Source: https://docs.aws.amazon.com/ec2/latest/instancetypes/instance-types.html, 2026-11
FAMILIES: Final[Mapping[str, Family]] = {
    name: Family(
        name=name,
        architecture=architecture,
        memory_per_vcpu_gib=gib,
        local_nvme=local_nvme,
        sizes=tuple(sizes.split()),
    )
    for names, architecture, gib, local_nvme, sizes in _ROWS
    for name in names.split()
}
