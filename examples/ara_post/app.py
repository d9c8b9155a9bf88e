"""The AWS post "Accelerate your data exploration" with ARA, translated section by section."""

import json

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs

from cdk_emr_eks import (
    EmrEksCluster,
    ExecutionRoleSpec,
    IamPermission,
    NotebookEndpoint,
    NotebookPlatform,
    NotebookUser,
    Platform,
    VirtualClusterSpec,
)

app = cdk.App()
stack = cdk.Stack(app, "EmrEksApp")

# "Create and define an EKS cluster and compute capacity". This includes Karpenter and the default
# workloads critical, shared and notebook: node pools for each zone and capacity type.
admin = iam.Role.from_role_name(stack, "EksAdmin", "eks-admin")
emr_eks = EmrEksCluster.get_or_create(stack, platform=Platform(admins=(admin,)))

# "Deploy the virtual cluster and an execution role".
virtual_cluster = emr_eks.add_emr_virtual_cluster(
    VirtualClusterSpec(name="batchjob", namespace="batchjob", create_namespace=True)
)
log_group = logs.LogGroup(
    stack,
    "JobLogs",
    log_group_name=f"{emr_eks.context.log_group_prefix}batchjob",
    encryption_key=emr_eks.context.log_key,
    retention=logs.RetentionDays.ONE_MONTH,
    # Its key is deleted with the cluster, and the next deployment needs the same name.
    removal_policy=cdk.RemovalPolicy.DESTROY,
)
virtual_cluster.node.add_dependency(log_group)
data = f"arn:{cdk.Aws.PARTITION}:s3:::my-data-lake"
catalog = f"arn:{cdk.Aws.PARTITION}:glue:{cdk.Aws.REGION}:{cdk.Aws.ACCOUNT_ID}"
emr_eks_policy = (
    IamPermission(actions=("s3:ListBucket",), resources=(data,)),
    IamPermission(
        actions=("s3:GetObject", "s3:PutObject"),
        resources=(f"{data}/*",),
        reason="jobs read and write any data set of the lake",
    ),
    IamPermission(
        actions=("glue:GetDatabase", "glue:GetTable", "glue:GetPartitions"),
        resources=(
            f"{catalog}:catalog",
            f"{catalog}:database/exploration",
            f"{catalog}:table/exploration/*",
        ),
        reason="jobs read any table of the database",
    ),
)
role = emr_eks.create_execution_role(
    ExecutionRoleSpec(name="execRoleJob", permissions=emr_eks_policy),
    namespace="batchjob",
    log_group=log_group.log_group_physical_name(),
)

# "Deploy Amazon EMR Studio and provision users".
notebooks = NotebookPlatform(
    stack, "platform-notebook", cluster=emr_eks, studio_name="platform", auth_mode="IAM"
)
# "For the sake of brevity, we reuse the same IAM policy". Users who name one endpoint share it.
endpoint = NotebookEndpoint(name="myendpoint", permissions=emr_eks_policy)
notebooks.add_users(
    [NotebookUser(identity_name=name, endpoints=(endpoint,)) for name in ("janeDoe", "johnDoe")]
)

# "Lastly, we output parameters that are important for the job run". NotebookPlatform already adds
# the outputs of the Studio and of the endpoint.
config = emr_eks.job_configuration("critical", log_group=log_group.log_group_physical_name())
cdk.CfnOutput(stack, "VirtualClusterId", value=virtual_cluster.id)
cdk.CfnOutput(stack, "CriticalConfig", value=json.dumps(config))
cdk.CfnOutput(stack, "ExecRoleArn", value=role.arn)

app.synth()
