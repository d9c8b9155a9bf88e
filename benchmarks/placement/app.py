"""The platform of the placement benchmark: three tenants, pools by zone or over all zones."""

from __future__ import annotations

import os
from dataclasses import replace

import aws_cdk as cdk

from cdk_emr_eks import DEFAULT_WORKLOADS, Cpu, Memory, Platform, Quota, Tenant
from cdk_emr_eks.stacks import PlatformStack, tenant_stacks

TENANTS = ("analytics", "finance", "research")

quota = Quota(cpu=Cpu.cores(5_000), memory=Memory.from_gib(20_000), pods=2_000)
per_zone = os.environ["PLACEMENT_PER_ZONE"] == "yes"
app = cdk.App()
workloads = tuple(replace(each, per_zone=per_zone) for each in DEFAULT_WORKLOADS)
platform = PlatformStack(app, "Platform", platform=Platform(workloads=workloads))
tenants = [Tenant(name=name, quota=quota) for name in TENANTS]
tenant_stacks(app, "Tenants", cluster=platform.cluster, tenants=tenants)
app.synth()
