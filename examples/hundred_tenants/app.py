"""A hundred tenants on one platform, distributed over several stacks."""

import aws_cdk as cdk

from cdk_emr_eks import Cpu, Memory, Quota, Tenant
from cdk_emr_eks.stacks import PlatformStack, tenant_stacks

app = cdk.App()
platform = PlatformStack(app, "Platform", admin_role_names=["eks-admin"])
quota = Quota(cpu=Cpu.cores(200), memory=Memory.from_gib(800))
tenants = [
    Tenant(name=f"team-{number:03}", quota=quota, tags={"cost-center": str(4_000 + number)})
    for number in range(100)
]
tenant_stacks(app, "Tenants", cluster=platform.cluster, tenants=tenants, stacks=8)
app.synth()
