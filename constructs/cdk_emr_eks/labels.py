"""Every label, taint and annotation key that node pools, pods and policies share."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

# Labels of this library. The prefix is a DNS label, as Kubernetes requires, and sorts early: split
# cost allocation reads a pod's labels in alphabetical order and stops after 50.
# Source: https://docs.aws.amazon.com/cur/latest/userguide/split-cost-allocation-data-kubernetes-labels.html

# Node label, node taint and pod label: the workload's name.
WORKLOAD: Final = "emr-eks/workload"
# Node label, node taint and pod label: `driver` or `executor`.
ROLE: Final = "emr-eks/role"
# Namespace label and pod label: the tenant's name.
TENANT: Final = "emr-eks/tenant"
# Node label and taint of the system node group.
SYSTEM: Final = "emr-eks/system"

# Labels of Kubernetes.
ZONE: Final = "topology.kubernetes.io/zone"
HOSTNAME: Final = "kubernetes.io/hostname"
ARCHITECTURE: Final = "kubernetes.io/arch"
OPERATING_SYSTEM: Final = "kubernetes.io/os"
MANAGED_BY: Final = "app.kubernetes.io/managed-by"

# Labels and annotations of Karpenter. Source: https://karpenter.sh/docs/concepts/scheduling/#well-known-labels
CAPACITY_TYPE: Final = "karpenter.sh/capacity-type"
DO_NOT_DISRUPT: Final = "karpenter.sh/do-not-disrupt"
DISCOVERY: Final = "karpenter.sh/discovery"
INSTANCE_FAMILY: Final = "karpenter.k8s.aws/instance-family"
INSTANCE_SIZE: Final = "karpenter.k8s.aws/instance-size"
INSTANCE_LOCAL_NVME: Final = "karpenter.k8s.aws/instance-local-nvme"

# Labels of Spark. Source: https://spark.apache.org/docs/latest/running-on-kubernetes.html
SPARK_ROLE: Final = "spark-role"
SPARK_APP_SELECTOR: Final = "spark-app-selector"

# Pod label of EMR: `job.submitter`, `driver` or `executor`.
JOB_COMPONENT: Final = "emr-containers.amazonaws.com/component"
# Pod label of EMR: id of the job run, on its submitter, driver and executors.
JOB_ID: Final = "emr-containers.amazonaws.com/job.id"

# AWS tag of EMR, with value `true`: VPC, subnets, security groups and secrets for EMR Studio.
# Source: https://docs.aws.amazon.com/emr/latest/ManagementGuide/emr-managed-iam-policies.html
EMR_MANAGED_TAG: Final = "for-use-with-amazon-emr-managed-policies"


class SparkRole(StrEnum):
    """Role of a Spark pod; also the value of Spark's label ``spark-role``."""

    DRIVER = "driver"
    EXECUTOR = "executor"


class CapacityType(StrEnum):
    """Purchase option of an instance; the values of Karpenter's capacity type label."""

    ON_DEMAND = "on-demand"
    SPOT = "spot"


class Architecture(StrEnum):
    """CPU architecture; the values of Kubernetes' architecture label."""

    ARM64 = "arm64"
    AMD64 = "amd64"
