"""Spark properties that a user can set, and the field to use for the others."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from cdk_emr_eks.errors import ConfigProblem
from cdk_emr_eks.model.access.tenant_secrets import INSTEAD, is_secret_name

# Properties of one classification, and characters of a key or a value.
# Source: https://docs.aws.amazon.com/emr-on-eks/latest/APIReference/API_Configuration.html
MAX_PROPERTIES: Final = 100
MAX_TEXT: Final = 1024

_EMR = "EMR on EKS sets it and refuses another value"

# Source: https://docs.aws.amazon.com/emr/latest/EMR-on-EKS-DevelopmentGuide/emr-eks-jobs-CLI.html
_FORBIDDEN: Final[Mapping[str, str]] = {
    "spark.kubernetes.authenticate.driver.serviceAccountName": _EMR,
    "spark.kubernetes.authenticate.executor.serviceAccountName": _EMR,
    "spark.kubernetes.authenticate.serviceAccountName": _EMR,
    "spark.kubernetes.namespace": _EMR,
    "spark.kubernetes.driver.pod.name": _EMR,
    "spark.kubernetes.container.image.pullPolicy": _EMR,
    "spark.kubernetes.driver.podTemplateFile": "upload a pod template and name it on the job",
    "spark.kubernetes.executor.podTemplateFile": "upload a pod template and name it on the job",
    "spark.kubernetes.driver.request.cores": "use Workload.driver",
    "spark.kubernetes.driver.limit.cores": "a CPU limit throttles; use Workload.driver",
    "spark.driver.cores": "use Workload.driver",
    "spark.driver.memory": "use Workload.driver",
    "spark.driver.memoryOverhead": "use Workload.driver",
    "spark.driver.memoryOverheadFactor": "use Workload.driver",
    "spark.kubernetes.memoryOverheadFactor": "use overhead_share of Workload.driver and executor",
    "spark.kubernetes.executor.request.cores": "use Workload.executor",
    "spark.kubernetes.executor.limit.cores": "a CPU limit throttles; use Workload.executor",
    "spark.executor.cores": "use Workload.executor",
    "spark.executor.memory": "use Workload.executor",
    "spark.executor.memoryOverhead": "use Workload.executor",
    "spark.executor.memoryOverheadFactor": "use Workload.executor",
    "spark.executor.pyspark.memory": "raise overhead_share of Workload.executor",
    "spark.executor.instances": "use Workload.dynamic_allocation",
    "spark.memory.offHeap.enabled": "use off_heap of Workload.executor",
    "spark.memory.offHeap.size": "use off_heap of Workload.executor",
    "spark.kubernetes.allocation.batch.size": "use Workload.dynamic_allocation",
    "spark.decommission.enabled": "it follows Workload.executor_capacity",
    "spark.kubernetes.driver.ownPersistentVolumeClaim": "use Workload.storage",
    "spark.kubernetes.driver.reusePersistentVolumeClaim": "use Workload.storage",
    "spark.kubernetes.driver.waitToReusePersistentVolumeClaim": "use Workload.storage",
    "spark.local.dir": "use Workload.storage",
    "spark.authenticate": "use Tenant.spark_encryption",
}

_FORBIDDEN_PREFIXES: Final[Mapping[str, str]] = {
    "spark.dynamicAllocation.": "use Workload.dynamic_allocation",
    "spark.storage.decommission.": "it follows Workload.executor_capacity",
    "spark.authenticate.": "Spark creates a secret for each job; use Tenant.spark_encryption",
    "spark.network.crypto.": "use Tenant.spark_encryption",
    "spark.io.encryption.": "use Tenant.spark_encryption",
    "spark.kubernetes.node.selector.": "use another Workload",
    "spark.kubernetes.driver.node.selector.": "use another Workload",
    "spark.kubernetes.executor.node.selector.": "use another Workload",
    "spark.kubernetes.executor.volumes.persistentVolumeClaim.spark-local-dir-": (
        "use Workload.storage"
    ),
}


def spark_conf_problems(
    conf: Mapping[str, str], field: str = "spark_conf"
) -> tuple[ConfigProblem, ...]:
    """Return what is wrong with a user's Spark properties; empty where all are allowed.

    Refused are properties that EMR on EKS reserves, that the workload derives (with the field to
    use instead), that hold a secret, or that are longer than the API accepts.
    """
    found: list[ConfigProblem] = []
    for key, text in conf.items():
        if not key.startswith("spark."):
            rule = "must have keys that start 'spark.'"
            found.append(ConfigProblem(field=field, rule=rule, got=key))
            continue
        if max(len(key), len(text)) > MAX_TEXT:
            rule = f"must have keys and values of at most {MAX_TEXT} characters"
            found.append(ConfigProblem(field=field, rule=rule, got=f"{key[:60]} ({len(text)})"))
        reason = _FORBIDDEN.get(key) or next(
            (why for prefix, why in _FORBIDDEN_PREFIXES.items() if key.startswith(prefix)), ""
        )
        if reason:
            found.append(ConfigProblem(field=field, rule="must not set", got=key, fix=reason))
        elif is_secret_name(key):
            # The error does not show the value: errors end up in the logs of builds.
            rule = "must not hold a secret, which templates and outputs show to every reader"
            found.append(ConfigProblem(field=field, rule=rule, got=key, fix=INSTEAD))
    return tuple(found)
