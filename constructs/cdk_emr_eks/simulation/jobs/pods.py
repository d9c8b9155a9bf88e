"""The pods of a job in EMR on EKS.

They have two layers: what Spark's Kubernetes client makes of pod template and properties, and what
EMR adds. Tests compare the first layer with pods of Spark's own client. Volumes and environment
variables that no scheduler reads are left out.

Source: https://github.com/apache/spark/tree/v3.5.7/resource-managers/kubernetes/core/src/main/scala/org/apache/spark/deploy/k8s/features
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from cdk_emr_eks import labels
from cdk_emr_eks.assembly.paths import mapping, sequence
from cdk_emr_eks.labels import JOB_COMPONENT, JOB_ID, SparkRole
from cdk_emr_eks.model.access.execution_role import Component, service_account
from cdk_emr_eks.model.images.emr_images import EMR_ACCOUNTS
from cdk_emr_eks.simulation.jobs.blueprint import Blueprint
from cdk_emr_eks.units import Memory
from cdk_emr_eks.versions import EMR_RELEASE

# Name of EMR's logging container.
LOGGING: Final = "emr-container-fluentd"

_REGISTRY: Final = f"{EMR_ACCOUNTS['us-east-1']}.dkr.ecr.us-east-1.amazonaws.com"
# Image of jobs whose configuration names no other. No image is pulled, but admission policies
# check the registry.
SPARK_IMAGE: Final = f"{_REGISTRY}/spark/{EMR_RELEASE.removesuffix('-latest')}:latest"
# Image of EMR's logging container.
LOGGING_IMAGE: Final = f"{_REGISTRY}/fluentd:latest"

_RESOURCE_TYPE: Final = "emr-containers.amazonaws.com/resource.type"
# On drivers and executors, EMR's logging container requests only memory.
# Source: https://docs.aws.amazon.com/emr/latest/EMR-on-EKS-DevelopmentGuide/emr-eks-job-submitter-container-defaults.html
_LOGGING_MEMORY: Final = "512Mi"

EXECUTOR_ID: Final = "spark-exec-id"
_SPARK_VERSION: Final = "3.5.7"
# Minimum of Spark's memory overhead in MiB, where 10 % of the heap is less.
_LEAST_OVERHEAD: Final = 384


_SUBMITTER: Final = (
    ("job-runner", {"cpu": "800m", "memory": "512Mi"}, {"cpu": "1", "memory": "1Gi"}),
    (LOGGING, {"cpu": "100m", "memory": "200Mi"}, {"memory": "500Mi"}),
)


@dataclass(frozen=True, kw_only=True, slots=True)
class JobRun:
    """One submitted job.

    Args:
        id: Unique id in lower case, as EMR's.
        blueprint: Form of the job.
        spark: Spark properties; those of the submission override those of the blueprint.
        account: AWS account, which is part of the names of service accounts.
        max_attempts: How often EMR starts the job.
    """

    id: str
    blueprint: Blueprint
    spark: Mapping[str, str]
    account: str
    max_attempts: int = 1

    def service_account(self, component: Component) -> str:
        """Return the service account of a component of the job."""
        return service_account(component, self.account, self.blueprint.execution_role)

    def driver_name(self, attempt: int) -> str:
        """Return the name of the driver pod of an attempt, counted from 1."""
        return f"{self.application(attempt)}-driver"

    def application(self, attempt: int) -> str:
        """Return Spark's application id of an attempt, which executors use to find the driver."""
        return f"spark-{self.id}" if attempt == 1 else f"spark-{self.id}-{attempt}"


@dataclass(frozen=True, kw_only=True, slots=True)
class DriverReference:
    """The driver that an executor belongs to.

    Args:
        name: Name of the driver pod.
        uid: UID of the driver pod.
        application: Spark's application id.
    """

    name: str
    uid: str
    application: str


def submitter_job(run: JobRun) -> Mapping[str, object]:
    """Return the Kubernetes Job by which EMR submits a job."""
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
                "image": SPARK_IMAGE,
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
    """Return the driver pod that Spark's submission client creates, without EMR's additions."""
    template = run.blueprint.driver_template
    pod = _from_template(run, SparkRole.DRIVER, template, run.application(attempt))
    metadata = writable(pod, "metadata")
    metadata["name"] = run.driver_name(attempt)
    writable(pod, "spec")["serviceAccountName"] = run.service_account(Component.DRIVER)
    return pod


def spark_executor_pod(run: JobRun, driver: DriverReference, number: int) -> Mapping[str, object]:
    """Return an executor pod that Spark's driver creates, without EMR's additions."""
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
    """Return the memory that Spark requests for a driver or an executor, in MiB."""
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
    # Spark uses the first container of the template; the user's sidecars follow it.
    main, *others = [dict(mapping(each)) for each in sequence(spec, "containers")] or [{}]
    main["image"] = run.spark.get("spark.kubernetes.container.image", SPARK_IMAGE)
    main["resources"] = {
        "requests": {"cpu": cpu or run.spark.get(f"spark.{role}.cores", "1"), "memory": memory},
        "limits": limits,
    }
    spec["containers"] = [main, *others]
    return pod


def emr_driver_template(run: JobRun) -> Mapping[str, object]:
    """Return the driver's pod template with EMR's additions, for Spark's submission client."""
    return with_emr(run.blueprint.driver_template, run.id, SparkRole.DRIVER)


def emr_executor_template(run: JobRun) -> Mapping[str, object]:
    """Return the executors' pod template with EMR's additions, for a real Spark driver."""
    return with_emr(run.blueprint.executor_template, run.id, SparkRole.EXECUTOR)


def _under(properties: Mapping[str, str], prefix: str) -> dict[str, str]:
    return {
        key.removeprefix(prefix): value
        for key, value in properties.items()
        if key.startswith(prefix)
    }


def _mib(size: str) -> int:
    return Memory.parse_spark(size).mib


# ---- EMR's additions


def emr_labels(job_id: str, component: str) -> dict[str, str]:
    """Return the labels that EMR sets on a pod of a job."""
    return {JOB_ID: job_id, JOB_COMPONENT: str(component), _RESOURCE_TYPE: "job.run"}


def with_emr(pod: Mapping[str, object], job_id: str, role: SparkRole) -> Mapping[str, object]:
    """Return a driver or an executor of Spark, or its template, with EMR's additions."""
    full = copy.deepcopy(dict(pod))
    metadata, spec = writable(full, "metadata"), writable(full, "spec")
    writable(metadata, "labels").update(emr_labels(job_id, role))
    spec["securityContext"] = {"fsGroup": 65534}
    containers = [dict(mapping(each)) for each in sequence(spec["containers"])]
    containers[0]["securityContext"] = container_security()
    logging = {
        "name": LOGGING,
        "image": LOGGING_IMAGE,
        "resources": {
            "requests": {"memory": _LOGGING_MEMORY},
            "limits": {"memory": _LOGGING_MEMORY},
        },
        "securityContext": container_security(),
    }
    spec["containers"] = [*containers, logging]
    return full


def container_security() -> dict[str, object]:
    """Return the security context of EMR's containers."""
    return {
        "runAsNonRoot": True,
        "runAsUser": 999,
        "runAsGroup": 1000,
        "privileged": False,
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }


def writable(parent: dict[str, object], key: str) -> dict[str, object]:
    """Return a writable copy of the mapping at a key, which replaces it in the parent."""
    held = dict(mapping(parent.get(key)))
    parent[key] = held
    return held
