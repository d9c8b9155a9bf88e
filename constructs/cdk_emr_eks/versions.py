"""Every pinned version in one place: newest stable, where it was read, and when.

A user moves one of them by passing another value to the construct that has it; we move them all
in one change, with the golden files beside it.
"""

from __future__ import annotations

from typing import Final

KUBERNETES: Final = "1.36"
"""Newest Kubernetes that EKS, EMR on EKS, Karpenter and aws-cdk-lib all support.

Source: https://karpenter.sh/docs/upgrading/compatibility/ (1.36 needs Karpenter 1.13), 2026-11.
"""

EMR_RELEASE: Final = "emr-7.14.0-latest"
"""Newest EMR release for jobs.

Source: https://docs.aws.amazon.com/emr/latest/EMR-on-EKS-DevelopmentGuide/emr-eks-releases.html,
2026-11. ``emr-spark-8.x`` (Spark 4) is accepted, too; it is not the default, since jobs written for
Spark 3 need changes on it.
"""

KARPENTER: Final = "1.14.1"
"""Charts ``karpenter`` and ``karpenter-crd``.

Source: https://gallery.ecr.aws/karpenter/karpenter, 2026-11.
"""

NODE_IMAGE: Final = "al2023@v20261023"
"""Machine image of Karpenter's nodes: Amazon Linux 2023 for EKS, one alias for both architectures.

Pinned, since with ``latest`` each release would replace nodes.
Source: https://github.com/awslabs/amazon-eks-ami/releases/tag/v20261023 (has 1.36), 2026-11.
"""
