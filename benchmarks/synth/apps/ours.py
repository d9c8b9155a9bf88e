"""The platform of the ARA post, without its notebooks, on this library.

In addition to what ``ara.py`` has, the tenant has a quota: ``python ours.py OUTDIR``.
"""

import sys

from aws_cdk import App, Environment, Stack
from aws_cdk import aws_iam as iam

from cdk_emr_eks import (
    Cpu,
    EmrEksCluster,
    ExecutionRoleSpec,
    IamPermission,
    Memory,
    Platform,
    Quota,
    Tenant,
)

DATA = "arn:aws:s3:::example-data"

app = App(outdir=sys.argv[1])
stack = Stack(app, "Platform", env=Environment(account="111122223333", region="eu-west-1"))
admin = iam.Role.from_role_name(stack, "Admin", "platform-admin")
cluster = EmrEksCluster(stack, "EmrEks", platform=Platform(admins=(admin,)))
# Rights on the log group need no statement: a role has those on its own.
data = IamPermission(
    actions=("s3:PutObject", "s3:GetObject", "s3:ListBucket"), resources=(DATA, f"{DATA}/*")
)
cluster.add_tenant(
    Tenant(
        name="batchjob",
        quota=Quota(cpu=Cpu.cores(1_000), memory=Memory.from_gib(4_000), pods=500),
        execution_roles=(ExecutionRoleSpec(name="execRoleJob", permissions=(data,)),),
    )
)
app.synth()
