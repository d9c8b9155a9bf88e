"""Every pinned version: newest stable, with source and date.

A user sets another version with an argument of the construct. The library changes versions together
with the golden files.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

# Newest Kubernetes that EKS, EMR on EKS, Karpenter and aws-cdk-lib support.
# Source: https://karpenter.sh/docs/upgrading/compatibility/ (1.36 needs Karpenter 1.13), 2026-11
KUBERNETES: Final = "1.36"

# Newest EMR release for jobs. `emr-spark-8.x` (Spark 4) is accepted, too. It is not the default,
# since jobs written for Spark 3 need changes for Spark 4.
# Source: https://docs.aws.amazon.com/emr/latest/EMR-on-EKS-DevelopmentGuide/emr-eks-releases.html,
# 2026-11
EMR_RELEASE: Final = "emr-7.14.0-latest"

# Charts `karpenter` and `karpenter-crd`.
# Source: https://gallery.ecr.aws/karpenter/karpenter, 2026-11
KARPENTER: Final = "1.14.1"

# Chart `aws-load-balancer-controller`, which has the version of the controller.
# Source: https://github.com/aws/eks-charts/tree/master/stable/aws-load-balancer-controller, 2026-11
LOAD_BALANCER_CONTROLLER: Final = "3.5.0"

# Machine image of Karpenter's nodes: Amazon Linux 2023 for EKS, one alias for both architectures.
# Pinned, since with `latest` each release would replace nodes.
# Source: https://github.com/awslabs/amazon-eks-ami/releases/tag/v20261023 (has 1.36), 2026-11
NODE_IMAGE: Final = "al2023@v20261023"

# Control plane of the simulation, with the minor version of KUBERNETES.
# Source: https://github.com/kubernetes/kubernetes/releases/tag/v1.36.3, 2026-11
SIMULATED_KUBERNETES: Final = "v1.36.3"

# etcd of the simulation. Source: https://github.com/etcd-io/etcd/releases/tag/v3.7.3, 2026-11
SIMULATED_ETCD: Final = "v3.7.3"

# Nodes and pods of the simulation.
# Source: https://github.com/kubernetes-sigs/kwok/releases/tag/v0.8.0, 2026-11
SIMULATED_KWOK: Final = "v0.8.0"

# Renders charts for the simulation.
# Source: https://github.com/helm/helm/releases/tag/v4.3.1, 2026-11
HELM: Final = "v4.3.1"

# Build environments of users' images, by architecture. They have Docker 28 with buildx.
# Source: https://github.com/aws/aws-codebuild-docker-images/tree/master/al, 2026-11
CODEBUILD_IMAGES: Final[Mapping[str, str]] = {
    "amd64": "aws/codebuild/amazonlinux-x86_64-standard:6.0",
    "arm64": "aws/codebuild/amazonlinux-aarch64-standard:4.0",
}

# EKS managed add-ons by Kubernetes version and add-on name. AWS lists them only in its API
# (`aws eks describe-addon-versions --kubernetes-version 1.36`). These are the newest versions that
# public repositories pinned for running clusters in October 2026; newer builds can exist. The
# version of `metrics-server` for 1.35 is the one for 1.36: community add-ons have the same builds
# for all versions.
EKS_ADDONS: Final[Mapping[str, Mapping[str, str]]] = {
    "1.36": {
        "vpc-cni": "v1.23.2-eksbuild.1",
        "kube-proxy": "v1.36.0-eksbuild.45",
        "eks-pod-identity-agent": "v1.4.0-eksbuild.3",
        "coredns": "v1.14.7-eksbuild.11",
        "aws-ebs-csi-driver": "v1.66.0-eksbuild.1",
        "metrics-server": "v0.9.0-eksbuild.11",
    },
    "1.35": {
        "vpc-cni": "v1.23.2-eksbuild.1",
        "kube-proxy": "v1.35.3-eksbuild.29",
        "eks-pod-identity-agent": "v1.4.0-eksbuild.3",
        "coredns": "v1.14.6-eksbuild.4",
        "aws-ebs-csi-driver": "v1.66.0-eksbuild.1",
        "metrics-server": "v0.9.0-eksbuild.11",
    },
}
