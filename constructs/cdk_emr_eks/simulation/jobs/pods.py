"""The pods of a job in the shape that EMR on EKS gives them.

Two layers: what Spark's Kubernetes client makes of pod template and properties, and what EMR adds.
The first is compared with pods of Spark's own client in tests. Volumes and environment that no
scheduler reads are left out.

Source: https://github.com/apache/spark/tree/v3.5.7/resource-managers/kubernetes/core/src/main/scala/org/apache/spark/deploy/k8s/features
"""

from __future__ import annotations

import copy
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from cdk_emr_eks import labels
from cdk_emr_eks.assembly.paths import mapping, sequence
from cdk_emr_eks.labels import SparkRole
from cdk_emr_eks.model.access.execution_role import Component, service_account
from cdk_emr_eks.model.images.emr_images import ImageKind, base_image
from cdk_emr_eks.simulation.jobs.additions import (
    LOGGING,
    container_security,
    emr_labels,
    with_emr,
    writable,
)
from cdk_emr_eks.simulation.jobs.blueprint import Blueprint
from cdk_emr_eks.versions import EMR_RELEASE

EXECUTOR_ID: Final = "spark-exec-id"
_SPARK_VERSION: Final = "3.5.7"
_SIZE: Final = re.compile(r"(\d+)([kmgt])?b?", re.IGNORECASE)
_MIB: Final = {"k": 1 / 1024, "m": 1, "g": 1024, "t": 1024 * 1024}
_LEAST_OVERHEAD: Final = 384
"""Memory overhead in MiB that Spark takes where 10 % of the heap is less."""

_EMR_IMAGE: Final = base_image(ImageKind.SPARK, EMR_RELEASE)
# Never pulled; admission policies look at where it is from.

_SUBMITTER: Final = (
    ("job-runner", {"cpu": "800m", "memory": "512Mi"}, {"cpu": "1", "memory": "1Gi"}),
    (LOGGING, {"cpu": "100m", "memory": "200Mi"}, {"memory": "500Mi"}),
)


@dataclass(frozen=True, kw_only=True, slots=True)
class JobRun:
    """One submitted job.

    Args:
        id: Its id, as EMR's: unique, lower case.
        blueprint: What its kind looks like.
        spark: Spark properties, those of the submission over those of the blueprint.
        account: AWS account, part of the service accounts' names.
        max_attempts: How often EMR starts it.
    """

    id: str
    blueprint: Blueprint
    spark: Mapping[str, str]
    account: str
    max_attempts: int = 1

    def service_account(self, component: Component) -> str:
        """Return the service account that EMR has for a part of the job."""
        return service_account(component, self.account, self.blueprint.execution_role)

    def driver_name(self, attempt: int) -> str:
        """Return the name of the driver pod of an attempt, counted from 1."""
        return f"{self.application(attempt)}-driver"

    def application(self, attempt: int) -> str:
        """Return Spark's application id of an attempt, by which executors find their driver."""
        return f"spark-{self.id}" if attempt == 1 else f"spark-{self.id}-{attempt}"


@dataclass(frozen=True, kw_only=True, slots=True)
class DriverReference:
    """The driver that an executor belongs to.

    Args:
        name: Name of its pod.
        uid: Kubernetes' id of the pod.
        application: Spark's application id.
    """

    name: str
    uid: str
    application: str


def submitter_job(run: JobRun) -> Mapping[str, object]:
    """Return the batch Job that EMR makes to submit a job."""
    settings = run.blueprint.submitter
    identity = emr_labels(run.id, "job.submitter")
    selector = _under(settings, "jobsubmitter.node.selector.")
    tolerations = _under(settings, "jobsubmitter.node.toleration.")
    effects = {key for key in tolerations if key.endswith(".effect")}
    pod = {
        "restartPolicy": "Never",
        "serviceAccountName": run.service_account(Component.CLIENT),
        "nodeSelector": selector,
        "tolerations": [
            {
                "key": key,
                "operator": "Equal",
                "value": value,
                "effect": tolerations.get(f"{key}.effect", "NoSchedule"),
            }
            for key, value in tolerations.items()
            if key not in effects
        ],
        "containers": [
            {
                "name": name,
                "image": _EMR_IMAGE,
                "resources": {"requests": requests, "limits": limits},
                "securityContext": container_security(),
            }
            for name, requests, limits in _SUBMITTER
        ],
        "securityContext": {"fsGroup": 65534},
    }
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {
            "name": run.id,
            "namespace": run.blueprint.namespace,
            "labels": {**identity, **_under(settings, "jobsubmitter.label.")},
        },
        "spec": {
            "backoffLimit": 0,
            "template": {
                "metadata": {
                    "labels": {**identity, **_under(settings, "jobsubmitter.label.")},
                    "annotations": _under(settings, "jobsubmitter.annotation."),
                },
                "spec": pod,
            },
        },
    }


def driver_pod(run: JobRun, attempt: int) -> Mapping[str, object]:
    """Return the driver pod of an attempt."""
    spark = spark_driver_pod(run, attempt)
    return with_emr(spark, run.id, SparkRole.DRIVER)


def executor_pod(run: JobRun, driver: DriverReference, number: int) -> Mapping[str, object]:
    """Return an executor pod, owned by the driver pod."""
    return with_emr(spark_executor_pod(run, driver, number), run.id, SparkRole.EXECUTOR)


def spark_driver_pod(run: JobRun, attempt: int = 1) -> Mapping[str, object]:
    """Return the driver pod as Spark's submission client makes it, without EMR's additions."""
    template = run.blueprint.driver_template
    pod = _from_template(run, SparkRole.DRIVER, template, run.application(attempt))
    metadata = writable(pod, "metadata")
    metadata["name"] = run.driver_name(attempt)
    writable(pod, "spec")["serviceAccountName"] = run.service_account(Component.DRIVER)
    return pod


def spark_executor_pod(run: JobRun, driver: DriverReference, number: int) -> Mapping[str, object]:
    """Return an executor pod as Spark's driver makes it, without EMR's additions."""
    template = run.blueprint.executor_template
    pod = _from_template(run, SparkRole.EXECUTOR, template, driver.application)
    metadata = writable(pod, "metadata")
    metadata["name"] = f"{driver.application}-exec-{number}"
    metadata["ownerReferences"] = [
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "name": driver.name,
            "uid": driver.uid,
            "controller": True,
        }
    ]
    writable(metadata, "labels")[EXECUTOR_ID] = str(number)
    writable(metadata, "labels")["spark-exec-resourceprofile-id"] = "0"
    writable(pod, "spec")["serviceAccountName"] = run.service_account(Component.EXECUTOR)
    return pod


def memory_mib(spark: Mapping[str, str], role: SparkRole) -> int:
    """Return the memory in MiB that Spark requests for a driver or an executor."""
    heap = _mib(spark.get(f"spark.{role}.memory", "1g"))
    given = spark.get(f"spark.{role}.memoryOverhead")
    factor = float(spark.get(f"spark.{role}.memoryOverheadFactor", "0.1"))
    overhead = _mib(given) if given else max(int(heap * factor), _LEAST_OVERHEAD)
    off_heap = 0
    if role is SparkRole.EXECUTOR and spark.get("spark.memory.offHeap.enabled") == "true":
        off_heap = _mib(spark.get("spark.memory.offHeap.size", "0"))
    return heap + overhead + off_heap


def _from_template(
    run: JobRun, role: SparkRole, template: Mapping[str, object], application: str
) -> dict[str, object]:
    pod = copy.deepcopy(dict(template))
    metadata, spec = writable(pod, "metadata"), writable(pod, "spec")
    metadata["namespace"] = run.blueprint.namespace
    writable(metadata, "labels").update(
        {
            **_under(run.spark, f"spark.kubernetes.{role}.label."),
            "spark-version": _SPARK_VERSION,
            "spark-app-name": run.id,
            labels.SPARK_APP_SELECTOR: application,
            labels.SPARK_ROLE: str(role),
        }
    )
    annotations = _under(run.spark, f"spark.kubernetes.{role}.annotation.")
    if annotations:
        writable(metadata, "annotations").update(annotations)
    selector = {
        **_under(run.spark, "spark.kubernetes.node.selector."),
        **_under(run.spark, f"spark.kubernetes.{role}.node.selector."),
    }
    if selector:
        writable(spec, "nodeSelector").update(selector)
    memory = f"{memory_mib(run.spark, role)}Mi"
    cpu = run.spark.get(f"spark.kubernetes.{role}.request.cores")
    limits = {"memory": memory}
    if limit := run.spark.get(f"spark.kubernetes.{role}.limit.cores"):
        limits["cpu"] = limit
    spec["restartPolicy"] = "Never"
    # Spark's container is the template's first; sidecars of the user's own stay behind it.
    main, *others = [dict(mapping(each)) for each in sequence(spec.get("containers"))] or [{}]
    main["image"] = run.spark.get("spark.kubernetes.container.image", _EMR_IMAGE)
    main["resources"] = {
        "requests": {"cpu": cpu or run.spark.get(f"spark.{role}.cores", "1"), "memory": memory},
        "limits": limits,
    }
    spec["containers"] = [main, *others]
    return pod


def emr_driver_template(run: JobRun) -> Mapping[str, object]:
    """Return the driver's pod template with what EMR adds, for Spark's own client to use."""
    return with_emr(run.blueprint.driver_template, run.id, SparkRole.DRIVER)


def emr_executor_template(run: JobRun) -> Mapping[str, object]:
    """Return the executors' pod template with what EMR adds, for Spark's own driver to use."""
    return with_emr(run.blueprint.executor_template, run.id, SparkRole.EXECUTOR)


def _under(properties: Mapping[str, str], prefix: str) -> dict[str, str]:
    return {
        key.removeprefix(prefix): value
        for key, value in properties.items()
        if key.startswith(prefix)
    }


def _mib(size: str) -> int:
    match = _SIZE.fullmatch(size.strip())
    if match is None:
        raise ValueError(f"not a Spark size: {size!r}")
    return int(int(match[1]) * _MIB[(match[2] or "m").lower()])
