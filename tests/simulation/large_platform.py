"""A platform for the shipped scenarios: large pools, and tenants with large and small quotas."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

import aws_cdk as cdk

from cdk_emr_eks import (
    DEFAULT_WORKLOADS,
    SHARED,
    Cpu,
    Memory,
    NodePoolLimits,
    Platform,
    Quota,
    Tenant,
    Workload,
)
from cdk_emr_eks.stacks import PlatformStack, tenant_stacks

LARGE: Final = ("analytics", "finance", "research")
SMALL: Final = "small"
_DRIVERS: Final = NodePoolLimits(cpu=Cpu.cores(2_000), memory=Memory.from_gib(16_000))
_EXECUTORS: Final = NodePoolLimits(cpu=Cpu.cores(16_000), memory=Memory.from_gib(128_000))
_MUCH: Final = Quota(cpu=Cpu.cores(20_000), memory=Memory.from_gib(100_000), pods=4_000)
_LITTLE: Final = Quota(cpu=Cpu.cores(200), memory=Memory.from_gib(900), pods=60)


def platform_of_many(folder: Path, tenants: int) -> Path:
    """Synthesize a platform with many equal tenants and one workload."""
    named = [Tenant(name=f"team-{number}") for number in range(tenants)]
    return _synthesized(folder, [SHARED], named, stacks=math.ceil(tenants / 15))


def large_platform(folder: Path, *, with_small: bool) -> Path:
    """Synthesize the platform; ``with_small`` adds a tenant with a small quota."""
    workloads = [
        replace(each, driver_limits=_DRIVERS, executor_limits=_EXECUTORS)
        for each in DEFAULT_WORKLOADS
    ]
    tenants = [Tenant(name=name, quota=_MUCH) for name in LARGE]
    if with_small:
        tenants.append(Tenant(name=SMALL, quota=_LITTLE))
    return _synthesized(folder, workloads, tenants)


def _synthesized(
    folder: Path, workloads: Sequence[Workload], tenants: Sequence[Tenant], stacks: int = 1
) -> Path:
    app = cdk.App(outdir=str(folder))
    platform = PlatformStack(app, "Platform", platform=Platform(workloads=tuple(workloads)))
    tenant_stacks(app, "Tenants", cluster=platform.cluster, tenants=tenants, stacks=stacks)
    app.synth()
    return folder
