"""The CDK's kubectl handler: its layer, suppressed findings, and logs."""

from __future__ import annotations

from importlib import import_module
from typing import cast

from aws_cdk import Aws, CfnElement, CfnResource, Fn, RemovalPolicy, Stack
from aws_cdk import aws_eks_v2 as eks
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct, IConstruct

from cdk_emr_eks.errors import refuse
from cdk_emr_eks.security.suppressions import managed_policy, skip_checkov, suppress, wildcard


def kubectl_layer(scope: Construct, version: str) -> lambda_.ILayerVersion:
    """Create the kubectl layer of a Kubernetes version.

    kubectl supports one minor version of difference to the API server, so the layer follows the
    cluster. Each version is a separate package; this library depends on the newest one only.

    Args:
        scope: Scope of the layer.
        version: Kubernetes version, such as ``1.36``.

    Raises:
        ConfigError: If the package for this version is not installed.

    Source: https://kubernetes.io/releases/version-skew-policy/#kubectl
    """
    minor = version.partition(".")[2]
    name = f"aws_cdk.lambda_layer_kubectl_v{minor}"
    try:
        module = import_module(name)
    except ModuleNotFoundError as error:
        if error.name != name:
            raise
        package = f"aws-cdk.lambda-layer-kubectl-v{minor}"
        rule = "must have its kubectl layer installed"
        raise refuse("ClusterSpec", "version", rule, version, f"pip install {package}") from error
    layer = getattr(module, f"KubectlV{minor}Layer")
    return cast(lambda_.ILayerVersion, layer(scope, "KubectlLayer"))


def suppress_kubectl_findings(cluster: eks.Cluster) -> None:
    """Suppress the findings on the CDK's kubectl provider.

    ``aws_eks_v2.Cluster`` creates it and accepts no other policies.

    Args:
        cluster: A cluster with a kubectl provider.
    """
    handler = cluster.node.find_child("KubectlProvider").node.find_child("Handler")
    condition = cast(CfnElement, handler.node.find_child("HasEcrPublic"))
    public = "policy/AmazonElasticContainerRegistryPublicReadOnly"
    # The policy depends on a condition, so the name of the finding is the whole expression.
    registry = Fn.condition_if(
        Stack.of(cluster).get_logical_id(condition),
        f"arn:{Aws.PARTITION}:iam::aws:{public}",
        Aws.NO_VALUE,
    ).to_string()
    function = cast(lambda_.Function, handler).function_arn
    pulls = "CDK's kubectl handler pulls charts from ECR, and read-only is all it may do there"
    reasons = {
        "service-role/AWSLambdaBasicExecutionRole": "CDK's kubectl functions write their logs",
        "service-role/AWSLambdaVPCAccessExecutionRole": "They are in the VPC: the API is private",
        "AmazonEC2ContainerRegistryReadOnly": pulls,
    }
    base = f"arn:{Aws.PARTITION}:iam::aws:policy/"
    findings = {managed_policy(cluster, base + name): why for name, why in reasons.items()}
    _skip_checks(cluster)
    suppress(
        cluster,
        {
            **findings,
            managed_policy(cluster, registry): pulls,
            wildcard(cluster, f"{function}:*"): "CDK's framework calls versions of its handler",
            "AwsSolutions-L1": "CDK chooses the runtime of its kubectl handler",
        },
    )


def bound_kubectl_logs(cluster: eks.Cluster, *, days: int) -> None:
    """Keep the logs of the CDK's kubectl functions as long as the cluster's, and delete them.

    With the CDK's feature flag for log groups of functions, the groups are resources that the CDK
    retains, with logs of two years. Without the flag there is no such resource.

    Charts and manifests depend on the groups. If a group were deleted first, a function that
    deletes node pools would create it again, without a limit, and it would stay.

    Args:
        cluster: A cluster with a kubectl provider.
        days: Days that CloudWatch keeps them.
    """
    # Every chart and manifest of the CDK depends on this parameter.
    barrier = cast(CfnResource, cluster.node.find_child("KubectlReadyBarrier"))
    for function in _functions(cluster):
        found = function.node.try_find_child("LogGroup")
        if found is not None:
            group = cast(logs.CfnLogGroup, found.node.default_child)
            group.retention_in_days = days
            group.apply_removal_policy(RemovalPolicy.DESTROY)
            barrier.add_resource_dependency(group)
            # A key policy that names the function would depend on it, and it on the key.
            why = "CloudWatch's own key: kubectl's answers, nothing of the jobs"
            skip_checkov(group, {"CKV_AWS_158": why})


def _skip_checks(cluster: eks.Cluster) -> None:
    for function in _functions(cluster):
        skip_checkov(
            cast(CfnResource, function.node.default_child),
            {
                "CKV_AWS_115": "CloudFormation calls it for one resource at a time",
                "CKV_AWS_116": "CloudFormation waits for its answer and reports what fails",
                "CKV_AWS_173": "Its variables are the name of a function, no secret",
            },
        )


def _functions(cluster: eks.Cluster) -> tuple[IConstruct, IConstruct]:
    provider = cluster.node.find_child("KubectlProvider").node
    framework = provider.find_child("Provider").node.find_child("framework-onEvent")
    return provider.find_child("Handler"), framework
