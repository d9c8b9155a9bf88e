"""The StorageClass of executors with persistent volumes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from cdk_emr_eks import labels
from cdk_emr_eks.model.workloads.storage import PersistentVolumes
from cdk_emr_eks.model.workloads.workload import Workload

# Name of the StorageClass of executors with `PersistentVolumes`.
EXECUTOR_STORAGE_CLASS: Final = "emr-eks-executor"


def needs_storage_class(workloads: Sequence[Workload]) -> bool:
    """Return whether a workload keeps its data on ``PersistentVolumes``."""
    return any(isinstance(each.storage, PersistentVolumes) for each in workloads)


def storage_class(*, cluster_name: str, volume_key: str | None = None) -> Mapping[str, object]:
    """Render the StorageClass: encrypted gp3, bound where the executor is, deleted with its claim.

    Args:
        cluster_name: Name of the cluster, for the volumes' tags.
        volume_key: ARN of the KMS key of the volumes; may be a token. Default: the account's key
            for EBS.

    Source: https://github.com/kubernetes-sigs/aws-ebs-csi-driver/blob/master/docs/parameters.md
    """
    parameters = {
        "type": "gp3",
        "encrypted": "true",
        "tagSpecification_1": f"emr-eks/cluster={cluster_name}",
        "tagSpecification_2": "emr-eks/namespace={{ .PVCNamespace }}",
    }
    if volume_key is not None:
        parameters["kmsKeyId"] = volume_key
    return {
        "apiVersion": "storage.k8s.io/v1",
        "kind": "StorageClass",
        "metadata": {
            "name": EXECUTOR_STORAGE_CLASS,
            "labels": {labels.MANAGED_BY: "cdk-emr-eks"},
        },
        "provisioner": "ebs.csi.aws.com",
        "parameters": parameters,
        "reclaimPolicy": "Delete",
        "allowVolumeExpansion": False,
        # The volume is created in the zone of the executor, which is the zone of its driver.
        "volumeBindingMode": "WaitForFirstConsumer",
    }
