"""The smallest useful platform: a cluster with the default workloads and one tenant."""

import aws_cdk as cdk

from cdk_emr_eks import Cpu, EmrEksCluster, Memory, Quota, Tenant

app = cdk.App()
stack = cdk.Stack(app, "DataPlatform")
cluster = EmrEksCluster(stack, "EmrEksCluster")
quota = Quota(cpu=Cpu.cores(500), memory=Memory.from_gib(2_000))
cluster.add_tenant(Tenant(name="analytics", quota=quota))
app.synth()
