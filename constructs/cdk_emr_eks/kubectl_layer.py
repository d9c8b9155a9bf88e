"""The Lambda layer with the kubectl of the cluster's Kubernetes version."""

from __future__ import annotations

from importlib import import_module
from typing import cast

from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from cdk_emr_eks.errors import refuse


def kubectl_layer(scope: Construct, version: str) -> lambda_.ILayerVersion:
    """Make the layer that fits a Kubernetes version.

    kubectl may be one minor version away from the API server, so the layer follows the cluster.
    Each version is a package of its own, of which this library depends on the newest only.

    Args:
        scope: Where to make the layer.
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
