"""The reference platform: ``make synth`` synthesizes it. Copy it to start your app.

Change a value and run ``make synth`` again: the plan shows the effect.
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
