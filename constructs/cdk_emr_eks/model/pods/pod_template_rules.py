"""What EMR on EKS allows in a pod template; a violation fails the job, hours after synth.

Source: https://docs.aws.amazon.com/emr/latest/EMR-on-EKS-DevelopmentGuide/pod-templates.html
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from cdk_emr_eks.errors import Problems
from cdk_emr_eks.labels import SparkRole
from cdk_emr_eks.model.access.plain_secrets import INSTEAD, names_secret

MAIN_CONTAINERS: Final[Mapping[SparkRole, str]] = {
    SparkRole.DRIVER: "spark-kubernetes-driver",
    SparkRole.EXECUTOR: "spark-kubernetes-executor",
}
"""Names by which EMR finds Spark's own container."""

_TOP_LEVEL: Final = frozenset({"apiVersion", "kind", "metadata", "spec"})

_POD_FIELDS: Final = frozenset(
    [
        "activeDeadlineSeconds",
        "affinity",
        "containers",
        "enableServiceLinks",
        "ephemeralContainers",
        "hostAliases",
        "hostname",
        "imagePullSecrets",
        "initContainers",
        "nodeName",
        "nodeSelector",
        "overhead",
        "preemptionPolicy",
        "priority",
        "priorityClassName",
        "readinessGates",
        "runtimeClassName",
        "schedulerName",
        "subdomain",
        "terminationGracePeriodSeconds",
        "tolerations",
        "topologySpreadConstraints",
        "volumes",
    ]
)

_MAIN_FIELDS: Final = frozenset(
    [
        "env",
        "envFrom",
        "name",
        "lifecycle",
        "livenessProbe",
        "readinessProbe",
        "resources",
        "startupProbe",
        "stdin",
        "stdinOnce",
        "terminationMessagePath",
        "terminationMessagePolicy",
        "tty",
        "volumeDevices",
        "volumeMounts",
        "workingDir",
    ]
)

_RESERVED_VOLUMES: Final = frozenset(
    [
        "emr-container-communicate",
        "config-volume",
        "emr-container-application-log-dir",
        "emr-container-event-log-dir",
        "temp-data-dir",
        "mnt-dir",
        "home-dir",
        "emr-container-s3",
    ]
)

_RESERVED_MOUNTS: Final = (
    "/var/log/fluentd",
    "/var/log/spark/user",
    "/var/log/spark/apps",
    "/mnt",
    "/tmp",
    "/home/hadoop",
)

_RESERVED_ENV: Final = frozenset(
    {
        "SPARK_CONTAINER_ID",
        "K8S_SPARK_LOG_URL_STDERR",
        "K8S_SPARK_LOG_URL_STDOUT",
        "SIDECAR_SIGNAL_FILE",
    }
)

_LOGGING_CONTAINER: Final = "emr-container-fluentd"

# What to do instead, for the fields that people try most.
_INSTEAD: Final[Mapping[str, str]] = {
    "securityContext": "EMR sets it (user 999, no privileges); sidecars may have their own",
    "serviceAccountName": "EMR makes one for each execution role",
    "serviceAccount": "EMR makes one for each execution role",
    "image": "set spark.kubernetes.container.image for a custom image",
    "imagePullPolicy": "EMR sets it",
    "command": "EMR starts Spark",
    "args": "EMR starts Spark",
    "dnsConfig": "EMR's filter lets no DNS setting through",
    "dnsPolicy": "EMR's filter lets no DNS setting through",
    "restartPolicy": "Spark replaces executors, a retry policy drivers",
}


def check_pod_template(
    manifest: Mapping[str, object], where: str, *, role: SparkRole | None = None
) -> None:
    """Check that EMR on EKS accepts a pod template.

    Args:
        manifest: The pod as plain values.
        where: What to name in the error.
        role: Whether it is for drivers or executors; None accepts the main container of both.

    Raises:
        ConfigError: With every field, volume, mount, variable and name that EMR refuses.
    """
    problems = Problems(where)
    spec = manifest.get("spec")
    rule = "must be a Pod of v1"
    is_pod = manifest.get("kind") == "Pod" and manifest.get("apiVersion") == "v1"
    problems.require(is_pod, "kind", rule, f"{manifest.get('apiVersion')} {manifest.get('kind')}")
    _only(problems, "template", manifest, _TOP_LEVEL)
    _check_metadata(problems, manifest.get("metadata", {}))
    if not isinstance(spec, Mapping):
        problems.require(False, "spec", "must be a mapping", spec)
        problems.raise_if_any()
        return
    _only(problems, "spec", spec, _POD_FIELDS)
    volumes = _named(problems, "spec.volumes", spec.get("volumes", ()))
    for name in volumes:
        rule = "must not use a name that EMR reserves"
        problems.require(name not in _RESERVED_VOLUMES, "spec.volumes", rule, name)
    containers = _named(problems, "spec.containers", spec.get("containers", ()))
    others = _named(problems, "spec.initContainers", spec.get("initContainers", ()))
    main_names = tuple(MAIN_CONTAINERS.values()) if role is None else (MAIN_CONTAINERS[role],)
    rule = f"must name the main container {' or '.join(main_names)}"
    has_main = not containers or any(name in main_names for name in containers)
    problems.require(has_main, "spec.containers", rule, ", ".join(containers))
    for name, container in {**containers, **others}.items():
        field = f"spec.containers[{name}]"
        rule = "must not take the name of EMR's logging container"
        problems.require(name != _LOGGING_CONTAINER, field, rule, name)
        _check_mounts(problems, field, container, set(volumes))
        _check_variables(problems, field, container)
        if name in main_names:
            _check_main(problems, field, container)
    problems.raise_if_any()


def _check_metadata(problems: Problems, metadata: object) -> None:
    if not isinstance(metadata, Mapping):
        problems.require(False, "metadata", "must be a mapping", metadata)
        return
    for field in ("labels", "annotations"):
        entries = metadata.get(field, {})
        if not isinstance(entries, Mapping):
            problems.require(False, f"metadata.{field}", "must be a mapping", entries)
            continue
        for key, value in entries.items():
            rule = f"must have text as the value of {key}"
            problems.require(isinstance(value, str), f"metadata.{field}", rule, value)


def _check_main(problems: Problems, field: str, container: Mapping[str, object]) -> None:
    _only(problems, field, container, _MAIN_FIELDS)
    for name in _named(problems, f"{field}.env", container.get("env", ())):
        rule = "must not set a variable that EMR sets"
        problems.require(name not in _RESERVED_ENV, f"{field}.env", rule, name)
    mounts = container.get("volumeMounts", ())
    for mount in mounts if isinstance(mounts, Sequence) else ():
        path = str(mount.get("mountPath", "")) if isinstance(mount, Mapping) else ""
        clash = next((known for known in _RESERVED_MOUNTS if _overlap(path, known)), "")
        rule = f"must not overlap with {clash}, which EMR mounts"
        problems.require(not clash, f"{field}.volumeMounts", rule, path, "try '/data1'")


def _check_mounts(
    problems: Problems, field: str, container: Mapping[str, object], declared: set[str]
) -> None:
    main = container.get("name") in MAIN_CONTAINERS.values()
    for name in _named(problems, f"{field}.volumeMounts", container.get("volumeMounts", ())):
        # Sidecars may share EMR's volumes; spark-local-dir-* come from Spark's configuration.
        known = name in declared or name.startswith("spark-local-dir-")
        known = known or (name in _RESERVED_VOLUMES and not main)
        problems.require(known, f"{field}.volumeMounts", "must name volumes of the template", name)


def _check_variables(problems: Problems, field: str, container: Mapping[str, object]) -> None:
    for name, item in _named(problems, f"{field}.env", container.get("env", ())).items():
        rule = "must not hold the value of a secret, which everybody who reads pods would see"
        told = names_secret(name) and item.get("value") is not None
        problems.require(not told, f"{field}.env", rule, name, INSTEAD)


def _named(problems: Problems, field: str, items: object) -> dict[str, Mapping[str, object]]:
    """Return list items by name, and report those that have none."""
    found: dict[str, Mapping[str, object]] = {}
    if not isinstance(items, Sequence) or isinstance(items, str):
        problems.require(False, field, "must be a list", items)
        return found
    for item in items:
        name = item.get("name") if isinstance(item, Mapping) else None
        if isinstance(item, Mapping) and isinstance(name, str) and name:
            found[name] = item
        else:
            problems.require(False, field, "must have a name in every item", item)
    return found


def _only(
    problems: Problems, field: str, given: Mapping[str, object], allowed: frozenset[str]
) -> None:
    for key in given:
        fix = _INSTEAD.get(key, "")
        problems.require(key in allowed, field, "must not have fields that EMR refuses", key, fix)


def _overlap(path: str, reserved: str) -> bool:
    trimmed = path.rstrip("/") or "/"
    if trimmed == "/":
        return True
    return f"{trimmed}/".startswith(f"{reserved}/") or f"{reserved}/".startswith(f"{trimmed}/")
