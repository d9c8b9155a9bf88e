"""Every label, taint and annotation key that pools, pods and policies must agree on.

A key that stands in two files drifts; so node pools, pod templates, job configurations and
tenant objects all read it from here.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

# Ours. The prefix is a DNS label, as Kubernetes asks of a key's prefix, and sorts early: split
# cost allocation reads a pod's labels in alphabetical order and stops after 50.
# Source: https://docs.aws.amazon.com/cur/latest/userguide/split-cost-allocation-data-kubernetes-labels.html
WORKLOAD: Final = "emr-eks/workload"
"""Node label, node taint and pod label: the workload's name."""
ROLE: Final = "emr-eks/role"
"""Node label, node taint and pod label: ``driver`` or ``executor``."""
TENANT: Final = "emr-eks/tenant"
"""Namespace label and pod label: the tenant's name."""
SYSTEM: Final = "emr-eks/system"
"""Node label and taint of the system node group."""

# Kubernetes' own.
ZONE: Final = "topology.kubernetes.io/zone"
HOSTNAME: Final = "kubernetes.io/hostname"
ARCHITECTURE: Final = "kubernetes.io/arch"
OPERATING_SYSTEM: Final = "kubernetes.io/os"
MANAGED_BY: Final = "app.kubernetes.io/managed-by"

# Karpenter's. Source: https://karpenter.sh/docs/concepts/scheduling/#well-known-labels
CAPACITY_TYPE: Final = "karpenter.sh/capacity-type"
DO_NOT_DISRUPT: Final = "karpenter.sh/do-not-disrupt"
DISCOVERY: Final = "karpenter.sh/discovery"
INSTANCE_FAMILY: Final = "karpenter.k8s.aws/instance-family"
INSTANCE_SIZE: Final = "karpenter.k8s.aws/instance-size"
INSTANCE_LOCAL_NVME: Final = "karpenter.k8s.aws/instance-local-nvme"

# Spark's. Source: https://spark.apache.org/docs/latest/running-on-kubernetes.html
SPARK_ROLE: Final = "spark-role"
SPARK_APP_SELECTOR: Final = "spark-app-selector"

# EMR's, on pods.
JOB_ID: Final = "emr-containers.amazonaws.com/job.id"
"""Pod label: id of the job run, on its submitter, driver and executors."""

# EMR's, on resources of AWS. Source:
# https://docs.aws.amazon.com/emr/latest/ManagementGuide/emr-managed-iam-policies.html
EMR_MANAGED_TAG: Final = "for-use-with-amazon-emr-managed-policies"
"""Tag ``true`` of the VPC, subnets, security groups and secrets that EMR Studio may use."""


class SparkRole(StrEnum):
    """What a Spark pod is; also the value of Spark's own label ``spark-role``."""

    DRIVER = "driver"
    EXECUTOR = "executor"


class CapacityType(StrEnum):
    """How EC2 sells the instance; the values of Karpenter's capacity type label."""

    ON_DEMAND = "on-demand"
    SPOT = "spot"


class Architecture(StrEnum):
    """CPU architecture; the values of Kubernetes' architecture label."""

    ARM64 = "arm64"
    AMD64 = "amd64"
