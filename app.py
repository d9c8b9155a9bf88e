"""The reference platform: what ``make synth`` builds, and a start for an app of your own.

Change a value and run ``make synth`` again: the plan shows what it means.
"""

from __future__ import annotations

import aws_cdk as cdk

from cdk_emr_eks import Cpu, Memory, Quota, Tenant
from stacks import reference_stacks

TENANTS = (
    Tenant(
        name="analytics",
        quota=Quota(cpu=Cpu.cores(1_000), memory=Memory.from_gib(4_000), pods=500),
        tags={"cost-center": "4711"},
    ),
)

app = cdk.App()
reference_stacks(app, tenants=TENANTS)
app.synth()
