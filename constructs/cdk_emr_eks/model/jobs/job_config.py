"""Job configurations: what ``aws emr-containers start-job-run --configuration-overrides`` takes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, cast

from cdk_emr_eks import labels
from cdk_emr_eks.errors import ConfigError, refuse
from cdk_emr_eks.labels import CapacityType, SparkRole
from cdk_emr_eks.model.images.image_uri import image_uri
from cdk_emr_eks.model.nodes.storage_class import EXECUTOR_STORAGE_CLASS
from cdk_emr_eks.model.pods.pod_template import SPOT_GRACE_SECONDS
from cdk_emr_eks.model.workloads.executor_size import SparkPodSize, driver_size, executor_size
from cdk_emr_eks.model.workloads.spark_conf import MAX_PROPERTIES, MAX_TEXT
from cdk_emr_eks.model.workloads.storage import PersistentVolumes
from cdk_emr_eks.model.workloads.workload import Workload
from cdk_emr_eks.releases import OldestRelease
from cdk_emr_eks.versions import EMR_RELEASE

# Oldest EMR release that AWS shows with a placed job submitter. The first one is not documented.
# Source: https://docs.aws.amazon.com/emr/latest/EMR-on-EKS-DevelopmentGuide/emr-eks-job-submitter.html
PLACED_SUBMITTER: Final = OldestRelease(feature="placing the job submitter", emr=(6, 11, 0))

# The Spark of this release (3.4) waits for the volume of a lost executor and reuses it.
_REUSED_VOLUMES: Final = OldestRelease(feature="reuse of PersistentVolumes", emr=(6, 12, 0))

# Property that names the image of driver and executors.
# Source: https://docs.aws.amazon.com/emr/latest/EMR-on-EKS-DevelopmentGuide/docker-custom-images-steps.html
IMAGE: Final = "spark.kubernetes.container.image"

_GLUE_FACTORY: Final = "com.amazonaws.glue.catalog.metastore.AWSGlueDataCatalogHiveClientFactory"
_LOCAL_DISK_SHUFFLE: Final = "org.apache.spark.shuffle.KubernetesLocalDiskShuffleDataIO"


def job_configuration(
    workload: Workload,
    *,
    driver_template_uri: str,
    executor_template_uri: str,
    log_group: str,
    log_stream_prefix: str,
    log_uri: str | None = None,
    release_label: str | None = None,
    pod_labels: Mapping[str, str] | None = None,
) -> Mapping[str, object]:
    """Render the configuration overrides of a workload's jobs.

    Properties set by the job's code have the highest precedence, then ``sparkSubmitParameters``,
    then this configuration.

    Args:
        workload: The workload.
        driver_template_uri: ``s3://`` URI of the driver's pod template; may be a token.
        executor_template_uri: The same for executors.
        log_group: CloudWatch log group, which must exist; may be a token.
        log_stream_prefix: Prefix of the log streams, which the execution role may write to.
        log_uri: ``s3://`` URI for a copy of the logs; may be a token. Default: CloudWatch only.
        release_label: EMR release of the configuration. Default: ``versions.EMR_RELEASE``.
        pod_labels: Labels of all pods of the job, for cost allocation. Default none.

    Raises:
        ConfigError: If the release lacks a feature that the workload uses, or the configuration
            exceeds limits of the API.
    """
    where = f"Job configuration of workload {workload.name!r}"
    _check_release(where, workload, release_label or EMR_RELEASE)
    labelled = pod_labels or {}
    spark = {
        **spark_defaults(workload),
        **_prefixed("spark.kubernetes.driver.label", labelled),
        **_prefixed("spark.kubernetes.executor.label", labelled),
        "spark.kubernetes.driver.podTemplateFile": driver_template_uri,
        "spark.kubernetes.executor.podTemplateFile": executor_template_uri,
    }
    classifications = {
        "spark-defaults": spark,
        "emr-job-submitter": {
            **_job_submitter(workload),
            **_prefixed("jobsubmitter.label", labelled),
        },
        "emr-containers-defaults": {
            "job-start-timeout": str(int(workload.job_start_timeout.total_seconds()))
        },
    }
    _check_size(where, classifications)
    monitoring: dict[str, object] = {
        "persistentAppUI": "ENABLED",
        "cloudWatchMonitoringConfiguration": {
            "logGroupName": log_group,
            "logStreamNamePrefix": log_stream_prefix,
        },
    }
    if log_uri is not None:
        monitoring["s3MonitoringConfiguration"] = {"logUri": log_uri}
    return {
        "applicationConfiguration": [
            {"classification": name, "properties": properties}
            for name, properties in classifications.items()
        ],
        "monitoringConfiguration": monitoring,
    }


def with_image(
    where: str, configuration: Mapping[str, object], image: str | None
) -> Mapping[str, object]:
    """Return a job's configuration with another image for driver and executors.

    Args:
        where: What errors call the configuration.
        configuration: Result of ``job_configuration``.
        image: URI by digest; may be a token. None: the configuration is returned unchanged.

    Raises:
        ConfigError: If the URI has no digest, or the configuration exceeds limits of the API.
    """
    if image is None:
        return configuration
    if problems := image_uri("image", image):
        raise ConfigError(where, problems)
    return with_spark(where, configuration, {IMAGE: image})


def with_spark(
    where: str, configuration: Mapping[str, object], conf: Mapping[str, str]
) -> Mapping[str, object]:
    """Return a job's configuration with further Spark properties, which override existing ones.

    Args:
        where: What errors call the configuration.
        configuration: Result of ``job_configuration``.
        conf: Values by property.

    Raises:
        ConfigError: If the configuration exceeds limits of the API.
    """
    given = cast(Sequence[Mapping[str, object]], configuration["applicationConfiguration"])
    changed = []
    for item in given:
        properties = cast(Mapping[str, str], item["properties"])
        if item["classification"] == "spark-defaults":
            properties = {**properties, **conf}
            _check_size(where, {"spark-defaults": properties})
        changed.append({**item, "properties": properties})
    return {**configuration, "applicationConfiguration": changed}


def spark_defaults(workload: Workload) -> dict[str, str]:
    """Return the Spark properties of a workload, without the locations of its pod templates.

    The user's ``spark_conf`` is last and overrides the defaults. The workload has already refused
    properties in it that must not be overridden.
    """
    return {
        "spark.hadoop.hive.metastore.client.factory.class": _GLUE_FACTORY,
        **_pod_sizes(driver_size(workload), executor_size(workload)),
        **_dynamic_allocation(workload),
        **_decommission(workload),
        **_volumes(workload),
        **workload.spark_conf,
    }


def _prefixed(prefix: str, values: Mapping[str, str]) -> dict[str, str]:
    return {f"{prefix}.{key}": value for key, value in values.items()}


def _pod_sizes(driver: SparkPodSize, executor: SparkPodSize) -> dict[str, str]:
    conf: dict[str, str] = {}
    for role, shape in ((SparkRole.DRIVER, driver), (SparkRole.EXECUTOR, executor)):
        conf |= {
            f"spark.{role}.cores": str(shape.cores),
            f"spark.kubernetes.{role}.request.cores": shape.request_cores.kubernetes,
            f"spark.{role}.memory": shape.heap.spark,
            f"spark.{role}.memoryOverhead": shape.overhead.spark,
        }
    if executor.off_heap.mib:
        conf |= {
            "spark.memory.offHeap.enabled": "true",
            "spark.memory.offHeap.size": executor.off_heap.spark,
        }
    return conf


def _dynamic_allocation(workload: Workload) -> dict[str, str]:
    dynamic = workload.dynamic_allocation
    first = dynamic.initial_executors
    idle = int(dynamic.executor_idle_timeout.total_seconds())
    shuffle = int(dynamic.shuffle_timeout.total_seconds())
    return {
        "spark.dynamicAllocation.enabled": "true",
        # Kubernetes has no external shuffle service: executors must stay while other executors
        # read their shuffle data.
        "spark.dynamicAllocation.shuffleTracking.enabled": "true",
        "spark.dynamicAllocation.shuffleTracking.timeout": f"{shuffle}s",
        "spark.dynamicAllocation.executorIdleTimeout": f"{idle}s",
        "spark.dynamicAllocation.minExecutors": str(dynamic.min_executors),
        "spark.dynamicAllocation.initialExecutors": str(
            dynamic.min_executors if first is None else first
        ),
        "spark.dynamicAllocation.maxExecutors": str(dynamic.max_executors),
        "spark.kubernetes.allocation.batch.size": str(dynamic.batch_size),
    }


def _decommission(workload: Workload) -> dict[str, str]:
    """Return properties that move an executor's blocks before its spot node terminates."""
    if workload.executor_capacity is not CapacityType.SPOT:
        return {}
    conf = {
        "spark.decommission.enabled": "true",
        "spark.storage.decommission.enabled": "true",
        "spark.storage.decommission.rddBlocks.enabled": "true",
        "spark.storage.decommission.shuffleBlocks.enabled": "true",
        # Spark gives up before the pod's grace period ends.
        "spark.executor.decommission.forceKillTimeout": f"{SPOT_GRACE_SECONDS - 10}s",
    }
    if isinstance(workload.storage, PersistentVolumes) and workload.storage.reuse:
        # The volume moves to the next executor. Copying its blocks would delay that.
        conf["spark.storage.decommission.shuffleBlocks.enabled"] = "false"
    return conf


def _volumes(workload: Workload) -> dict[str, str]:
    storage = workload.storage
    if not isinstance(storage, PersistentVolumes):
        return {}
    conf: dict[str, str] = {}
    for number in range(1, storage.count + 1):
        # Spark uses a volume as a local directory if its name has this prefix.
        prefix = f"spark.kubernetes.executor.volumes.persistentVolumeClaim.spark-local-dir-{number}"
        conf |= {
            f"{prefix}.options.claimName": "OnDemand",
            f"{prefix}.options.storageClass": EXECUTOR_STORAGE_CLASS,
            f"{prefix}.options.sizeLimit": storage.size.kubernetes,
            f"{prefix}.mount.path": f"/data{number}",
            f"{prefix}.mount.readOnly": "false",
        }
    if storage.reuse:
        conf |= {
            "spark.kubernetes.driver.ownPersistentVolumeClaim": "true",
            "spark.kubernetes.driver.reusePersistentVolumeClaim": "true",
            "spark.kubernetes.driver.waitToReusePersistentVolumeClaim": "true",
            # Without it, a new executor mounts the old volume and ignores its shuffle data.
            "spark.shuffle.sort.io.plugin.class": _LOCAL_DISK_SHUFFLE,
        }
    return conf


def _job_submitter(workload: Workload) -> dict[str, str]:
    """Place EMR's job submitter on the workload's driver nodes."""
    placement = {labels.WORKLOAD: workload.name, labels.ROLE: str(SparkRole.DRIVER)}
    conf: dict[str, str] = {}
    for key, value in {**placement, labels.CAPACITY_TYPE: str(CapacityType.ON_DEMAND)}.items():
        conf[f"jobsubmitter.node.selector.{key}"] = value
    for key, value in placement.items():
        conf[f"jobsubmitter.node.toleration.{key}"] = value
        conf[f"jobsubmitter.node.toleration.{key}.effect"] = "NoSchedule"
    conf[f"jobsubmitter.annotation.{labels.DO_NOT_DISRUPT}"] = "true"
    conf[f"jobsubmitter.label.{labels.WORKLOAD}"] = workload.name
    return conf


def _check_release(where: str, workload: Workload, label: str) -> None:
    reuses = isinstance(workload.storage, PersistentVolumes) and workload.storage.reuse
    needed = _REUSED_VOLUMES if reuses else PLACED_SUBMITTER
    if problems := needed.problems(label):
        raise ConfigError(where, problems)


def _check_size(where: str, classifications: Mapping[str, Mapping[str, str]]) -> None:
    for name, properties in classifications.items():
        if len(properties) > MAX_PROPERTIES:
            rule = f"must have at most {MAX_PROPERTIES} properties, including derived ones"
            raise refuse(where, name, rule, len(properties), "set fewer in spark_conf")
        for key, value in properties.items():
            if max(len(key), len(value)) > MAX_TEXT:
                rule = f"must have keys and values of at most {MAX_TEXT} characters"
                raise refuse(where, name, rule, f"{key} ({len(value)})")
