"""The platform with many tenants in separate stacks.

``python tenants.py OUTDIR TENANTS [pod-identity|irsa]``; each tenant has a quota, limit defaults,
a log group and one execution role.
"""

import sys

from aws_cdk import App, Environment

from cdk_emr_eks import Cpu, ExecutionRoleSpec, JobIdentity, Memory, Quota, Tenant
from cdk_emr_eks.stacks import PlatformStack, tenant_stacks

ENV = Environment(account="111122223333", region="eu-west-1")
# On average: names spread unevenly over stacks, and a stack takes 30.
TENANTS_IN_A_STACK = 15

outdir, count, *rest = sys.argv[1:]
identity = JobIdentity(rest[0]) if rest else JobIdentity.POD_IDENTITY
tenants = [
    Tenant(
        name=f"team-{number:04}",
        quota=Quota(cpu=Cpu.cores(1_000), memory=Memory.from_gib(4_000), pods=500),
        execution_roles=(ExecutionRoleSpec(name=f"team-{number:04}-jobs", identity=identity),),
    )
    for number in range(int(count))
]
app = App(outdir=outdir)
platform = PlatformStack(app, "Platform", admin_role_names=["platform-admin"], env=ENV)
tenant_stacks(
    app,
    "Tenants",
    cluster=platform.cluster,
    tenants=tenants,
    stacks=-(-len(tenants) // TENANTS_IN_A_STACK),
    env=ENV,
)
app.synth()
