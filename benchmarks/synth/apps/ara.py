"""The platform of the ARA post, without its notebooks, on ARA itself.

Runs in a separate environment: ``python ara.py OUTDIR``.
"""

import sys

import aws_analytics_reference_architecture as ara  # type: ignore[import-not-found]
from aws_cdk import App, CfnOutput, Environment, Stack
from aws_cdk import aws_iam as iam
from aws_cdk.lambda_layer_kubectl_v25 import (  # type: ignore[import-not-found]
    KubectlV25Layer,
)

ENV = Environment(account="111122223333", region="eu-west-1")
NAMESPACE = "batchjob"

app = App(outdir=sys.argv[1])
stack = Stack(app, "Platform", env=ENV)
emr_eks = ara.EmrEksCluster.get_or_create(
    stack,
    autoscaling=ara.Autoscaler.KARPENTER,
    eks_admin_role_arn=f"arn:aws:iam::{ENV.account}:role/platform-admin",
    # Without it ARA's Kubernetes 1.25 would be spoken to by kubectl 1.20.
    kubectl_lambda_layer=KubectlV25Layer(stack, "Kubectl"),
)
virtual_cluster = emr_eks.add_emr_virtual_cluster(
    stack, name=NAMESPACE, eks_namespace=NAMESPACE, create_namespace=True
)
policy = iam.ManagedPolicy(
    stack,
    "managed-policy",
    statements=[
        iam.PolicyStatement(
            actions=["s3:PutObject", "s3:GetObject", "s3:ListBucket"],
            resources=["arn:aws:s3:::example-data", "arn:aws:s3:::example-data/*"],
        ),
        iam.PolicyStatement(
            actions=["logs:PutLogEvents", "logs:CreateLogStream", "logs:DescribeLogGroups"],
            resources=[f"arn:aws:logs:{ENV.region}:{ENV.account}:*"],
        ),
    ],
)
role = emr_eks.create_execution_role(
    stack, "emr-eks-execution-role", policy, NAMESPACE, "execRoleJob"
)
CfnOutput(stack, "VirtualClusterId", value=virtual_cluster.attr_id)
CfnOutput(stack, "CriticalConfig", value=emr_eks.critical_default_config)
CfnOutput(stack, "ExecRoleArn", value=role.role_arn)
app.synth()
